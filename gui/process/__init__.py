"""The bench's process, and the memory and messages that it shares with the window's."""
