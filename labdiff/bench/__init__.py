"""The open bench: acquisition, frame validation, reconnecting devices, snapshots."""
