"""Calibrations of mock benches, held against the mock's hidden truth."""
