"""Images to learn from, by name or path: embedded digits, downloads, or files of the user's."""

from labdiff.data.folder import data_folder, inception_weights
from labdiff.data.image_set import ImageSet, load_images

__all__ = ["ImageSet", "data_folder", "inception_weights", "load_images"]
