"""The two views of the SLM's panel and its pages, by the room there is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

BESIDE_CHARS = 130
"""Width in characters from which the pages lie beside the views, which then lie one above the other."""
VIEW_SHARE = 0.42
"""Share of the height that the views have where they lie above the pages."""


class SlmSplit(QSplitter):
    """Lays out what the SLM displays, the preview, and the pages.

    Most panels are wider than they are high: where there is room, the views lie one above the other.

    Args:
        displayed: What the SLM displays.
        preview: Another pattern.
        pages: What can be previewed.
    """

    def __init__(self, displayed: QWidget, preview: QWidget, pages: QWidget) -> None:
        super().__init__()
        self.setObjectName("slm_split")
        self._views = QSplitter(Qt.Orientation.Vertical)
        self._by_hand = False
        for view in (displayed, preview):
            self._views.addWidget(view)
        self._views.setChildrenCollapsible(False)
        self._pages = pages
        for widget, stretch in ((self._views, 3), (pages, 1)):
            self.addWidget(widget)
            self.setStretchFactor(self.count() - 1, stretch)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._note_hand)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the pages beside the views, or below them where the width is small."""
        wide = event.size().width() >= BESIDE_CHARS * self.fontMetrics().averageCharWidth()
        along, across = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        if wide != (self.orientation() == along):
            self.setOrientation(along if wide else across)
            self._views.setOrientation(across if wide else along)
            self._by_hand = False
        super().resizeEvent(event)
        if not self._by_hand:
            length = self.width() if wide else self.height()
            pages = self._pages.minimumSizeHint().width() if wide else (1 - VIEW_SHARE) * length
            self.setSizes([max(1, round(length - pages)), max(1, round(pages))])
            half = max(1, (self.height() if wide else self.width()) // 2)
            self._views.setSizes([half, half])

    def _note_hand(self) -> None:
        self._by_hand = True
