"""Attempts to get through, by group, each with a sign that it did."""
