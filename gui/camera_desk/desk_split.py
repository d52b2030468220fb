"""Picture and desk side by side, or one above the other where there is little width."""

from __future__ import annotations

import qtawesome as qta
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QToolButton

from gui.camera_desk.desk import CameraDesk
from gui.live.view import LiveView
from gui.style import style, theme

BESIDE_CHARS = 140
"""Width in characters from which the desk lies beside the picture, which is then the larger of the two."""
DESK_LINES = 12
"""Height of the desk below the picture, in lines of text."""
MOST_PX = 10_000
"""Length that is asked for the picture: all that the desk leaves."""


class DeskSplit(QSplitter):
    """Lays out a live view and its desk.

    Beside the picture the desk is shown until it is folded. Where it would lie below, it is folded until it
    is asked for, and the histogram gives way to it: the picture is what matters.

    Args:
        view: The live view.
        desk: Its desk.

    Attributes:
        button: Shows or folds the desk.
    """

    def __init__(self, view: LiveView, desk: CameraDesk) -> None:
        super().__init__()
        self.setObjectName("live_split")
        self._view, self._desk = view, desk
        self._by_hand = self._histogram_gave_way = False
        self._wanted = {Qt.Orientation.Horizontal: True, Qt.Orientation.Vertical: False}
        self.button = QToolButton()
        self.button.setObjectName("desk_shown")
        self.button.setText("Camera desk")
        self.button.setToolTip("Show or fold the camera's settings, figures and recordings")
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setCheckable(True)
        self.button.setChecked(True)
        self.button.clicked.connect(self._choose)
        for widget, stretch in ((view, 1), (desk, 0)):
            self.addWidget(widget)
            self.setStretchFactor(self.count() - 1, stretch)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._note_hand)
        style.changed.connect(self._paint)
        self._paint()

    @property
    def beside(self) -> bool:
        """True while the desk lies beside the picture, or would."""
        return self.orientation() == Qt.Orientation.Horizontal

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the desk beside the picture, or below it where the width is small."""
        wide = event.size().width() >= BESIDE_CHARS * self.fontMetrics().averageCharWidth()
        if wide != self.beside:
            self.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
            self._by_hand = False
        super().resizeEvent(event)
        self._show_desk()

    def _choose(self, on: bool) -> None:
        self._wanted[self.orientation()] = on
        self._show_desk()

    def _show_desk(self) -> None:
        on = self._wanted[self.orientation()]
        self.button.setChecked(on)
        self._desk.setVisible(on)
        self._yield_histogram(on and not self.beside)
        if not self._by_hand:
            lines_px = DESK_LINES * self.fontMetrics().lineSpacing()
            least = self._desk.minimumSizeHint()
            self.setSizes([MOST_PX, least.width() if self.beside else lines_px])

    def _yield_histogram(self, on: bool) -> None:
        """Hide the histogram while it has to give way, and show it again after that."""
        shown = self._view.controls.histogram
        if on and not self._histogram_gave_way:
            self._histogram_gave_way = shown.isChecked()
            shown.setChecked(False)
        elif not on and self._histogram_gave_way:
            self._histogram_gave_way = False
            shown.setChecked(True)

    def _note_hand(self) -> None:
        self._by_hand = True

    def _paint(self) -> None:
        self.button.setIcon(qta.icon("mdi6.tune-variant", color=theme().text))
