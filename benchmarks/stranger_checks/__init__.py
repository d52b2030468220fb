"""Devices as strangers bring them, one case each."""
