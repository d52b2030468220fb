"""What the window remembers from one start to the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow

from gui.live.view import LiveView
from gui.plots.chart_box import ChartBox
from gui.widgets.model_form import ModelForm
from labdiff.config.training import TrainingOptions

LAYOUT_VERSION = 1
"""Of the saved places of docks; another one begins with the default."""


def keep(settings: QSettings, window: QMainWindow, live: LiveView) -> None:
    """Places of the window and its docks; how the live view and all curves are looked at."""
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue("layout", window.saveState(LAYOUT_VERSION))
    settings.setValue("live", json.dumps(live.settings()))
    curves = {box.objectName(): box.settings() for box in window.findChildren(ChartBox)}
    settings.setValue("curves", json.dumps(curves))
    settings.sync()


def restore(settings: QSettings, window: QMainWindow, live: LiveView) -> None:
    """What `keep` kept; what is missing or not understood stays as it is."""
    geometry, state = settings.value("geometry"), settings.value("layout")
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)
    if isinstance(state, QByteArray):
        window.restoreState(state, LAYOUT_VERSION)
    live.restore(_plain(settings, "live"))
    curves = _plain(settings, "curves")
    for box in window.findChildren(ChartBox):
        chosen = curves.get(box.objectName())
        if isinstance(chosen, dict) and all(isinstance(value, int) for value in chosen.values()):
            box.restore(chosen)


def fill_options(settings: QSettings, form: ModelForm, say: Callable[[str], None]) -> None:
    """The options of the last training into the form."""
    options = settings.value("options")
    if isinstance(options, str):
        try:
            form.fill(TrainingOptions.model_validate_json(options))
        except ValueError:
            say("the options of the last session are of another version; left aside")


def _plain(settings: QSettings, name: str) -> dict[str, Any]:
    try:
        found = json.loads(str(settings.value(name, "{}")))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
