"""Images to learn from, by name or path: embedded digits, downloads, or files of the user's."""
