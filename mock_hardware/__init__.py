"""The laboratory when there is none."""
