"""Holograms: layers by whose light the camera sees a picture, by the twin and then by the camera."""
