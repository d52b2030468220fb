"""The panels, one in each file: signals for what the user asks, methods to show what is reported."""
