"""Recorded runs: found, listed, shown."""
