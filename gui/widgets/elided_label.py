"""A line of text that ends in an ellipsis where there is no room for it; its tool tip has all of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from gui.widgets.plain_label import PlainLabel


class ElidedLabel(PlainLabel):
    """Shows one line, and moves nothing however long it is.

    Args:
        name: Name of the widget.
        tip: Tool tip, below the whole text.
    """

    def __init__(self, name: str, tip: str = "") -> None:
        super().__init__()
        self._tip = tip
        self.setToolTip(tip)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the text as there is room for."""
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, room.width()
        )
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, self.alignment(), shown)
        painter.end()
        whole = self.text() if shown != self.text() else ""
        tip = "\n".join(filter(None, (whole, self._tip)))
        if tip != self.toolTip():
            self.setToolTip(tip)
