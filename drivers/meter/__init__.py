"""Power meters."""
