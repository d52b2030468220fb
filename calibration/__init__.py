"""Measure what the data sheet does not say."""
