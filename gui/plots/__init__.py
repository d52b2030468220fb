"""Curves of a run, while it learns and afterwards."""
