"""Simulated instruments of the mock: bytes in, bytes out."""
