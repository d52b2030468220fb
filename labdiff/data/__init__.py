"""Training images, by name or path: embedded digits, downloads, or files of the user's."""
