"""The live view of the camera: frames, figures about them, snapshots and recordings."""
