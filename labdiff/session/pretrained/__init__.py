"""Layers that come with the program, and the script that makes them."""
