"""What stands below the list of runs: a hint, one run, several compared, or a recording."""

from __future__ import annotations

from functools import cached_property

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget

from gui.plots.chart_box import ChartBox
from gui.plots.comparison_curves import ComparisonCurves
from gui.runs.recording_view import RecordingView
from gui.runs.run_details import RunDetails
from gui.widgets.plain_label import PlainLabel


class RunPages(QStackedWidget):
    """Holds the pages; those with plots, half of a new window's time, are made when first needed.

    Args:
        hint: Text of the page that is shown at first.

    Attributes:
        reported: Emitted with a message when something was written.
        problem: Emitted with a message when something went wrong.
    """

    reported = Signal(str)
    problem = Signal(str)

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.hint = PlainLabel(hint)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.recording = RecordingView()
        self.recording.problem.connect(self.problem)
        for page in (self.hint, self.recording):
            self.addWidget(page)

    @cached_property
    def details(self) -> RunDetails:
        """Return the page of one run."""
        page = RunDetails()
        for box in (page.curves, page.fit, page.alignment, page.pace):
            self._pass_on(box)
        self.addWidget(page)
        return page

    @cached_property
    def comparison(self) -> ComparisonCurves:
        """Return the page on which runs are compared."""
        page = ComparisonCurves("runs_comparison")
        self._pass_on(page)
        self.addWidget(page)
        return page

    def show_hint(self, text: str) -> None:
        """Show a text in place of a run."""
        self.hint.setText(text)
        self.setCurrentWidget(self.hint)

    def _pass_on(self, box: ChartBox) -> None:
        box.reported.connect(self.reported)
        box.problem.connect(self.problem)
