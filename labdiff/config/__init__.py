"""Bench files and training options."""
