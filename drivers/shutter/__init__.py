"""Shutters."""
