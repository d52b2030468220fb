"""Charts as files: their values, a picture, a drawing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QRectF
from PySide6.QtGui import QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView

from gui.plots.column import Floats
from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError

FILTERS = {"png": "PNG picture (*.png)", "svg": "SVG drawing (*.svg)", "csv": "CSV table (*.csv)"}
LEAST_WIDTH_PX = 2400
"""Least width of a picture, so that it can be printed."""
ROWS_AT_ONCE = 10_000


def picture_of(plots: QGraphicsView) -> bytes:
    """Return what a view shows, as PNG."""
    shown = plots.viewport().rect()
    scale = max(LEAST_WIDTH_PX / shown.width(), 1.0)
    image = QImage(shown.size() * scale, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    plots.render(painter, QRectF(image.rect()), shown)
    painter.end()
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def drawing_of(plots: QGraphicsView) -> bytes:
    """Return what a view shows, as SVG."""
    shown = plots.viewport().rect()
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(shown.size())
    generator.setViewBox(shown)
    painter = QPainter(generator)
    plots.render(painter, QRectF(shown), shown)
    painter.end()
    return bytes(buffer.data().data())


def table_of(columns: Sequence[tuple[str, Floats]]) -> bytes:
    """Return named columns as CSV, with a column of steps before them; empty for not-a-number."""
    steps = max((len(values) for _, values in columns), default=0)
    text = io.StringIO()
    text.write(",".join(["step", *(_quoted(name) for name, _ in columns)]) + "\r\n")
    for first in range(0, steps, ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, steps)
        cells = [
            ["" if np.isnan(value) else f"{value:.9g}" for value in values[first:last].tolist()]
            for _, values in columns
        ]
        for cell in cells:
            cell += [""] * (last - first - len(cell))
        rows = zip(map(str, range(first, last)), *cells, strict=True)
        text.writelines(",".join(row) + "\r\n" for row in rows)
    return text.getvalue().encode()


def write_export(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        UserError: If it cannot be written; the message says what to do.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder. Choose a name for the file in it.")
    if not path.parent.is_dir():
        raise UserError(f"{path.parent}: no such folder. Choose one that is there.")
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written: {error.strerror or error}. "
            "Choose a folder you may write to, on a disk with free space."
        ) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
