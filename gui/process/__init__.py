"""What the window's process and the bench's process share: memory and messages."""
