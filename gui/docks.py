"""Docks of the panels: the bench on the left, the log below, all others as tabs between them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
TOP, BOTTOM = Qt.DockWidgetArea.TopDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
BESIDE, BELOW, MIDDLE = "Bench", "Log", "Live"
FIRST = {BESIDE: QSize(330, 760), BELOW: QSize(1480, 130)}
"""Width of the bench and height of the log at the first start; their other sizes follow the window."""

TRIES = 4
"""Number of passes in which the docks come to their sizes."""


def put_into_docks(window: QMainWindow, panels: Mapping[str, QWidget]) -> dict[str, QDockWidget]:
    """Put each panel into a dock, as at the first start, and return the docks by title."""
    docks: dict[str, QDockWidget] = {}
    for title, panel in panels.items():
        dock = QDockWidget(title, window)
        dock.setObjectName(f"dock_{title.lower()}")
        dock.setWidget(panel)
        window.addDockWidget({BESIDE: LEFT, BELOW: BOTTOM}.get(title, RIGHT), dock)
        docks[title] = dock
    middle = [title for title in panels if title not in (BESIDE, BELOW)]
    for before, title in pairwise(middle):
        window.tabifyDockWidget(docks[before], docks[title])
    docks[MIDDLE].raise_()
    bench, live, log = docks[BESIDE], docks[MIDDLE], docks[BELOW]
    width, height = FIRST[BESIDE].width(), FIRST[BELOW].height()
    window.resizeDocks([bench, live], [width, 1150], Qt.Orientation.Horizontal)
    window.resizeDocks([live, log], [760, height], Qt.Orientation.Vertical)
    return docks


class SideRoom(QObject):
    """Keeps the width of the bench and the height of the log when the window changes its size.

    Qt would distribute the new space among all panels.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._settled = QSize()
        self._sizes = dict(FIRST)
        self._tries = TRIES
        for watched in (window, docks[BESIDE], docks[BELOW]):
            watched.installEventFilter(self)

    def reset(self) -> None:
        """Restore the sizes of the first start."""
        self._sizes = dict(FIRST)
        self._tries = TRIES
        QTimer.singleShot(0, self, self._settle)

    def forget(self) -> None:
        """Adopt the sizes that come to the screen, such as those of the last session's layout."""
        self._sizes = {}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note which sizes the user gives the docks; no event is stopped."""
        if event.type() == QEvent.Type.Resize:
            if watched is self._window:
                self._tries = TRIES
                QTimer.singleShot(0, self, self._settle)
            elif self._window.size() == self._settled and not self._tries:  # by the user's hand
                self._note_sizes()
        return False

    def _note_sizes(self) -> None:
        self._sizes = {title: self._docks[title].size() for title in (BESIDE, BELOW)}

    def _settle(self) -> None:
        """Resize the docks to their noted sizes; one that the user has put elsewhere is left alone."""
        if self._sizes:
            for title, places, along in (
                (BESIDE, (LEFT, RIGHT), Qt.Orientation.Horizontal),
                (BELOW, (TOP, BOTTOM), Qt.Orientation.Vertical),
            ):
                dock = self._docks[title]
                elsewhere = self._window.dockWidgetArea(dock) not in places
                if elsewhere or dock.isHidden() or dock.isFloating():
                    continue
                middle = self._docks[MIDDLE]
                if along == Qt.Orientation.Horizontal:
                    size, now, room = self._sizes[title].width(), dock.width(), middle.width()
                else:
                    # Tabs are a part of the row of panels, not of the dock below them.
                    row = [other.height() for other in (middle, self._docks[BESIDE])]
                    size, now, room = self._sizes[title].height(), dock.height(), max(row)
                left = max(room + now - size, 1)
                self._window.resizeDocks([dock, middle], [size, left], along)
        else:
            self._note_sizes()
        self._settled = self._window.size()
        # Qt resizes docks in several passes, and what it makes of one request shows in the next.
        self._tries = max(self._tries - 1, 0)
        if self._tries:
            QTimer.singleShot(0, self, self._settle)
