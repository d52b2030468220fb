"""The layouts as the user has them: chosen in the View menu, rearranged by hand, reset."""

from __future__ import annotations

import json
from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QRect, QSettings, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar

from gui.docks import LAYOUTS, ColumnWidths, Layout, arrange

VERSION = 2
"""Version of the stored places of docks; those of another one are not restored."""
MOST_PX = 100_000
"""No panel is larger."""
OUT_OF_SIGHT = QRect(-1000, -1000, 1, 1)
"""Where bars of tabs are that nobody uses any more."""


class Arrangement:
    """Arranges the docks of a window in one of the default layouts, as the user has left it.

    Args:
        window: The main window.
        docks: Its docks by title.
        settings: Where each layout's places of docks are stored.
    """

    def __init__(
        self, window: QMainWindow, docks: Mapping[str, QDockWidget], settings: QSettings
    ) -> None:
        self._window, self._docks, self._settings = window, docks, settings
        self._defaults: dict[str, QByteArray] = {}
        for layout in reversed(LAYOUTS):
            arrange(window, docks, layout)
            self._defaults[layout.name] = window.saveState(VERSION)
        self._layout = LAYOUTS[0]
        self._widths = ColumnWidths(window, docks)
        self._widths.follow(self._layout)

    @property
    def name(self) -> str:
        """Name of the layout in use."""
        return self._layout.name

    def choose(self, name: str) -> None:
        """Bring up a layout as the user has left it; the one before is stored as it is now."""
        self.store()
        self._show(_named(name))

    def reset(self) -> None:
        """Put all panels where they are in the layout by default."""
        self._settings.remove(_key(self._layout))
        self._settings.remove(_sizes_key(self._layout))
        self._arrange()

    def store(self) -> None:
        """Store the present places of docks as those of the layout in use."""
        self._settings.setValue("layout", self._layout.name)
        self._settings.setValue(_key(self._layout), self._window.saveState(VERSION))
        self._settings.setValue(_sizes_key(self._layout), json.dumps(self._widths.sizes))

    def restore(self) -> None:
        """Bring up the layout of the last session as it was left."""
        self._show(_named(str(self._settings.value("layout", ""))))

    def _show(self, layout: Layout) -> None:
        self._layout = layout
        state = self._settings.value(_key(layout))
        if isinstance(state, QByteArray) and self._restore_state(state):
            sizes = _sizes(str(self._settings.value(_sizes_key(layout), "")))
            if sizes is None:
                self._widths.adopt(layout)
            else:
                # The window may have another size by now; what the user has not dragged fits it.
                self._widths.follow(layout, sizes)
        else:
            self._arrange()

    def _arrange(self) -> None:
        self._restore_state(self._defaults[self._layout.name])
        for column in self._layout.columns:
            self._docks[column[0]].raise_()
        self._widths.follow(self._layout)

    def _restore_state(self, state: QByteArray) -> bool:
        # Qt leaves the bars of the tabs before behind and shows them again; those in use get a place.
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        for bar in self._window.findChildren(QTabBar, options=direct):
            bar.setGeometry(OUT_OF_SIGHT)
        return self._window.restoreState(state, VERSION)


def _named(name: str) -> Layout:
    return next((layout for layout in LAYOUTS if layout.name == name), LAYOUTS[0])


def _key(layout: Layout) -> str:
    return f"layout_{layout.name.lower()}"


def _sizes_key(layout: Layout) -> str:
    return f"{_key(layout)}_sizes"


def _sizes(stored: str) -> tuple[int, int, float] | None:
    """Return what was stored as the sizes of a layout; None if nothing was that is understood."""
    try:
        bench_px, log_px, camera = (float(size) for size in json.loads(stored))
    except (TypeError, ValueError):
        return None
    if not (0 <= bench_px < MOST_PX and 0 <= log_px < MOST_PX and 0 <= camera < 1):
        return None
    return int(bench_px), int(log_px), camera
