"""Images that a hologram is to show: a text, or a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter

from labdiff.errors import UserError

FILLED = 0.8
"""Share of the image's width or height that a text fills."""


def text_target(text: str, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return a text, white on black, 0 ... 1, as large as it fits with a margin.

    Args:
        text: The text.
        shape: (height, width) of the image.

    Raises:
        UserError: If there is nothing in it that could be seen.
    """
    if not text.strip():
        raise UserError("Text: is empty; write what the hologram is to show")
    height, width = shape
    image = QImage(width, height, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.setPen(Qt.GlobalColor.white)
    font = QFont()
    font.setBold(True)
    font.setPixelSize(height)
    painter.setFont(font)
    whole = QRectF(0.0, 0.0, width, height)
    size = painter.boundingRect(whole, Qt.TextFlag.TextDontClip, text)
    fits = min(FILLED * width / size.width(), FILLED * height / size.height())
    font.setPixelSize(max(1, int(height * fits)))
    painter.setFont(font)
    painter.drawText(whole, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, text)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    target = np.asarray(rows[:, :width] / 255.0, np.float32)
    if not target.any():
        raise UserError(f"Text: {text!r} has nothing that {width} x {height} pixels could show")
    return target
