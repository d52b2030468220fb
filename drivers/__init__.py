"""What a device is, and the drivers of real ones."""
