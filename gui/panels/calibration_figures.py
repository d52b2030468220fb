"""Figures of a routine's result and of its history, drawn beside the window's thread."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Signal

from gui import style
from labdiff.calibrations.names import ROUTINE_NAMES

DRAWING = Lock()


def figure_colours(chosen: style.Theme) -> dict[Any, Any]:
    """Return matplotlib's settings by which a figure has the colours of a theme."""
    ground = ("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor")
    lines = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    return {**dict.fromkeys(ground, chosen.panel), **dict.fromkeys(lines, chosen.text)}


class FigureSignals(QObject):
    """Signals of a task, which is no QObject itself.

    Attributes:
        drawn: Emitted with the task's number, a message, and PNGs of the result and of the history, which
            are empty if there is none.
    """

    drawn = Signal(int, str, bytes, bytes)


class FigureTask(QRunnable):
    """Draws the figures of a routine in a thread of the pool.

    Args:
        folder: Archive of the calibrations.
        name: Name of the routine.
        patch_shape: (height, width) of a patch, px.
        number: Number of the task, by which a result that comes too late is recognised.
    """

    def __init__(self, folder: Path, name: str, patch_shape: tuple[int, int], number: int) -> None:
        super().__init__()
        self._folder, self._name, self._patch_shape = folder, name, patch_shape
        self._number, self._colours = number, figure_colours(style.theme())
        self.signals = FigureSignals()

    def run(self) -> None:
        """Draw the figures."""
        from matplotlib import rc_context

        from calibration.archive import CalibrationArchive
        from calibration.result import CalibrationError
        from labdiff.reports.calibration_figures import history
        from labdiff.reports.html_page import png_bytes

        try:
            archive = CalibrationArchive(self._folder)
            past = archive.history(self._name)
            others = {} if past else archive.newest_of_others(ROUTINE_NAMES)
        except (CalibrationError, OSError) as error:
            self.signals.drawn.emit(self._number, str(error), b"", b"")
            return
        if not past:
            own = others.get(self._name)
            said = "never measured"
            if own is not None:  # its type, which has the figure, is the script's
                said = f"{own.title}: {own.verdict.reason} {own.verdict.remedy}".strip(": ")
            self.signals.drawn.emit(self._number, f"{self._name}: {said}", b"", b"")
            return
        result = past[-1].result
        # Settings of matplotlib are the whole process's: one figure at a time is drawn.
        with DRAWING, rc_context(self._colours):
            figure, over_time = result.figure(self._patch_shape), history(past)
            pngs = [b"" if made is None else png_bytes(made) for made in (figure, over_time)]
        message = f"{self._name}: {result.verdict.reason} {result.verdict.remedy}"
        self.signals.drawn.emit(self._number, message, *pngs)
