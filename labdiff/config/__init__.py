"""Bench files, and training options with their files."""
