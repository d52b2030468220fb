"""Learning by twin alone, or by bench and twin together."""
