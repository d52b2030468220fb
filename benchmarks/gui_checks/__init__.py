"""Parts of gui.py: what the window does, measured."""
