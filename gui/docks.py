"""Docks of the panels, and the default layouts: in each the camera stands beside the other panels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle, QWidget

LEFT, BOTTOM = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
BENCH, CAMERA, LOG = "Bench", "Live", "Log"
BENCH_PX, LOG_PX = 330, 130
"""Width of the bench and height of the log where they stand by themselves; no other size is fixed."""
LEAST_BENCH_PX = 250
"""Width of the bench in a small window, which has no room for `BENCH_PX`."""
SMALL_PX, SMALL_LOG_PX = 1440, 96
"""Width of a window that is small, and the height of the log in it."""

TRIES = 4
"""Number of passes in which the docks come to their sizes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A default layout.

    columns: titles of the tabs of each column, from left to right; the first tab is in front. camera:
    share of the width that the camera gets, beside the tabs on its right, 0 ... 1.
    """

    name: str
    columns: tuple[tuple[str, ...], ...]
    camera: float


LAYOUTS = (
    Layout(
        "Align",
        ((BENCH,), (CAMERA,), ("SLM", "Calibration", "Training", "Generate", "Runs")),
        0.42,
    ),
    Layout(
        "Train",
        ((CAMERA,), ("Training", BENCH, "SLM", "Calibration", "Generate", "Runs")),
        0.3,
    ),
    Layout(
        "Generate",
        ((CAMERA,), ("Generate", BENCH, "SLM", "Calibration", "Training", "Runs")),
        0.36,
    ),
    Layout(
        "Review",
        ((CAMERA,), ("Runs", BENCH, "SLM", "Calibration", "Training", "Generate")),
        0.26,
    ),
)
"""The layouts in the order of the View menu; the first one is that of the first start."""


def put_into_docks(window: QMainWindow, panels: Mapping[str, QWidget]) -> dict[str, QDockWidget]:
    """Put each panel into a dock, and return the docks by title; `arrange` gives them their places."""
    docks: dict[str, QDockWidget] = {}
    for title, panel in panels.items():
        dock = QDockWidget(title, window)
        dock.setObjectName(f"dock_{title.lower()}")
        dock.setWidget(panel)
        docks[title] = dock
    return docks


def arrange(window: QMainWindow, docks: Mapping[str, QDockWidget], layout: Layout) -> None:
    """Give docks their places in a layout; a dock that it does not name is hidden below the log.

    Args:
        window: The main window.
        docks: Its docks by title.
        layout: The layout.
    """
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    leads = [docks[column[0]] for column in layout.columns]
    window.addDockWidget(LEFT, leads[0])
    for before, lead in pairwise(leads):
        window.splitDockWidget(before, lead, ACROSS)
    for column in layout.columns:
        for front, title in pairwise(column):
            window.tabifyDockWidget(docks[front], docks[title])
    window.addDockWidget(BOTTOM, docks[LOG])
    named = {title for column in layout.columns for title in column} | {LOG}
    for title, dock in docks.items():
        if title not in named:
            window.tabifyDockWidget(docks[LOG], dock)
        dock.setVisible(title in named)
    for lead in leads:
        lead.raise_()


class ColumnWidths(QObject):
    """Keeps the width of the bench, the height of the log and the camera's share in a window of any size.

    Qt would distribute a change of the size among all panels. Once the user has moved a dock elsewhere it
    does: the arrangement is the user's own.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._layout = LAYOUTS[0]
        self._bench_px, self._log_px, self._camera = 0, 0, 0.0
        self._settled = QSize()
        self._tries = 0
        for watched in (window, *docks.values()):
            watched.installEventFilter(self)

    @property
    def sizes(self) -> tuple[int, int, float]:
        """Width of the bench and height of the log, px, and the camera's share; 0 for those by default."""
        return self._bench_px, self._log_px, self._camera

    def follow(self, layout: Layout, sizes: tuple[int, int, float] = (0, 0, 0.0)) -> None:
        """Give the docks the sizes of a layout, in which they have just been put.

        Args:
            layout: The layout.
            sizes: Those that the user has given it, as `sizes` was; 0 for those that fit the window.
        """
        self._layout = layout
        self._bench_px, self._log_px, camera = sizes
        self._camera = camera or layout.camera
        self._begin()

    def adopt(self, layout: Layout) -> None:
        """Adopt the sizes on the screen, such as those in which the user has left a layout."""
        self._layout = layout
        self._camera = 0.0
        self._begin()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note which sizes the user gives the docks; no event is stopped."""
        if event.type() == QEvent.Type.Resize:
            if watched is self._window:
                self._begin()
            elif self._window.size() == self._settled and not self._tries and _dragging():
                self._note()
        return False

    def _begin(self) -> None:
        self._tries = TRIES
        QTimer.singleShot(0, self, self._settle)

    def _columns(self) -> list[QDockWidget] | None:
        """Return the dock in view of each column; None if the user has moved or hidden columns."""
        found = []
        for column in self._layout.columns:
            shown = [
                dock
                for dock in (self._docks[title] for title in column)
                if not dock.isFloating() and self._window.dockWidgetArea(dock) == LEFT
            ]
            visible = [dock for dock in shown if not dock.isHidden()]
            if not visible:
                return None
            found.append(visible[0])
        return found

    def _note(self) -> None:
        columns = self._columns()
        if columns is None:
            return
        *bench, camera, tabs = (self._width(dock) for dock in columns)
        self._bench_px = bench[0] if bench else 0
        self._camera = camera / max(camera + tabs, 1)
        self._log_px = self._docks[LOG].height()

    def _width(self, dock: QDockWidget) -> int:
        """Return the width of a dock, of a tab that is in front of it if it is behind one."""
        group = [dock, *self._window.tabifiedDockWidgets(dock)]
        return max(
            (each.width() for each in group if not each.visibleRegion().isEmpty()), default=0
        )

    def _settle(self) -> None:
        columns = self._columns()
        if columns is not None and self._camera:
            self._resize(columns)
        elif columns is not None:
            self._note()
        self._settled = self._window.size()
        # Qt resizes docks in several passes, and what it makes of one request shows in the next.
        self._tries = max(self._tries - 1, 0)
        if self._tries:
            QTimer.singleShot(0, self, self._settle)

    def _resize(self, columns: list[QDockWidget]) -> None:
        width = self._window.width()
        small = width < SMALL_PX
        bench = [self._bench_px or (LEAST_BENCH_PX if small else BENCH_PX)] * (len(columns) - 2)
        between = self._window.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent)
        rest = max(width - sum(bench) - between * (len(columns) - 1), 2)
        camera = round(self._camera * rest)
        self._window.resizeDocks(columns, [*bench, camera, rest - camera], ACROSS)
        log = self._docks[LOG]
        if not log.isHidden() and not log.isFloating():
            height = self._log_px or (SMALL_LOG_PX if small else LOG_PX)
            room = max(dock.height() for dock in columns) + log.height()
            self._window.resizeDocks([columns[-1], log], [max(room - height, 1), height], DOWN)


def _dragging() -> bool:
    """Return whether a mouse button is down, as while the user drags the border of a dock."""
    return QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
