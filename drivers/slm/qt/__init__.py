"""What runs in the SLM window's own process. Below `gui` Qt is imported in this folder only."""
