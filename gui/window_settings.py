"""What the window stores from one start to the next."""

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


def store_view(settings: QSettings, window: QMainWindow, live: LiveView) -> None:
    """Store the place of the window, and the settings of the live view and of all curves.

    Args:
        settings: Where to.
        window: The main window.
        live: Its live view.
    """
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue("live", json.dumps(live.settings()))
    curves = {box.objectName(): box.settings() for box in window.findChildren(ChartBox)}
    settings.setValue("curves", json.dumps(curves))
    settings.sync()


def restore_view(settings: QSettings, window: QMainWindow, live: LiveView) -> None:
    """Restore what `store_view` stored; what is missing or not understood stays as it is.

    Args:
        settings: Where from.
        window: The main window.
        live: Its live view.
    """
    geometry = settings.value("geometry")
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)
    live.restore(_plain(settings, "live"))
    curves = _plain(settings, "curves")
    for box in window.findChildren(ChartBox):
        chosen = curves.get(box.objectName())
        if isinstance(chosen, dict) and all(isinstance(value, int) for value in chosen.values()):
            box.restore(chosen)


def restore_options(settings: QSettings, form: ModelForm, log: Callable[[str], None]) -> None:
    """Fill a form with the options of the last training.

    Args:
        settings: Where from.
        form: The form of training options.
        log: Called with a message if they are those of another version.
    """
    options = settings.value("options")
    if isinstance(options, str):
        try:
            form.fill(TrainingOptions.model_validate_json(options))
        except ValueError:
            log("the options of the last session are of another version and are not used")


def _plain(settings: QSettings, name: str) -> dict[str, Any]:
    try:
        found = json.loads(str(settings.value(name, "{}")))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
