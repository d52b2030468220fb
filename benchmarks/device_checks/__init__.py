"""What devices.py measures."""
