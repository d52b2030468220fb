"""Input modulators."""
