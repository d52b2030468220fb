"""The desk beside the live view: camera, figures, picture, recording."""
