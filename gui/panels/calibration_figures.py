"""Figures of a routine's result and of its history, drawn beside the window's thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, Signal

from labdiff.calibrations.names import ROUTINE_NAMES


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
        self._number = number
        self.signals = FigureSignals()

    def run(self) -> None:
        """Draw the figures."""
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
        figure, over_time = result.figure(self._patch_shape), history(past)
        self.signals.drawn.emit(
            self._number,
            f"{self._name}: {result.verdict.reason} {result.verdict.remedy}",
            png_bytes(figure) if figure is not None else b"",
            png_bytes(over_time) if over_time is not None else b"",
        )
