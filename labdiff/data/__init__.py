"""Images to learn from, by name: embedded digits, or files of the user's."""

from labdiff.data.image_set import ImageSet, load_images

__all__ = ["ImageSet", "load_images"]
