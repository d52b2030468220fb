"""Pages of a desk: forms that scroll where there is little room, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QSizePolicy, QWidget

from gui.widgets.plain_label import PlainLabel


class PageArea(QScrollArea):
    """Shows a page, as wide as it is and no wider."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self._page = page
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The tab's own colour shows through.
        self.viewport().setAutoFillBackground(False)
        page.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:
        """Return the page's own width, and some lines of its height."""
        bar_px = self.verticalScrollBar().sizeHint().width()
        width = self._page.minimumSizeHint().width() + bar_px
        return QSize(width, 6 * self.fontMetrics().height())


def button(name: str, text: str, tip: str, act: Callable[[], None]) -> QPushButton:
    """Return a button.

    Args:
        name: Name of the widget.
        text: On the button.
        tip: Tool tip.
        act: Called when it is pressed.
    """
    made = QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tip)
    made.clicked.connect(act)
    return made


class Note(PlainLabel):
    """Shows text in so many lines, and moves nothing however long it is; its tool tip has all of it.

    Args:
        name: Name of the widget.
        lines: Number of lines.
    """

    def __init__(self, name: str, lines: int) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 2)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        """Show a text, and have it in the tool tip."""
        super().setText(text)
        self.setToolTip(text)

    def clear(self) -> None:
        """Show nothing."""
        self.setText("")


def value_label(name: str, widest: str) -> QLabel:
    """Return a label for a number, at the right, which is as wide for all of them as for the widest."""
    made = PlainLabel()
    made.setObjectName(name)
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    made.setMinimumWidth(made.fontMetrics().horizontalAdvance(widest))
    return made
