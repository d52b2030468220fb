"""The live view of the camera: pictures, figures about them, and what is kept of them."""
