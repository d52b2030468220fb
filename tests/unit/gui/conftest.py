"""What all tests of the window share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication


@pytest.fixture(autouse=True)
def no_window_is_left() -> Iterator[None]:
    """Delete what a test opened and closed, as an event loop would, and the menus of its plots.

    Else every window stays to the end of all tests: each event goes through the filters of all of them,
    and a change of the theme paints them all.
    """
    yield
    if isinstance(QCoreApplication.instance(), QApplication):
        for widget in QApplication.topLevelWidgets():
            widget.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
