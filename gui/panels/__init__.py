"""One panel a file: signals for what the user asks, methods for what it is told."""
