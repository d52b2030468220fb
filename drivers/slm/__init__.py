"""Spatial light modulators."""
