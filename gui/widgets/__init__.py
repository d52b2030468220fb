"""What more than one panel needs."""
