"""What the mock bench is held against, subject by subject."""
