"""Phase patterns that the window shows on the SLM."""
