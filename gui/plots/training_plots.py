"""All curves of a training, one tab for each kind."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget

from gui.plots.alignment_curves import AlignmentCurves
from gui.plots.chart_box import ChartBox
from gui.plots.fit_curves import FitCurves
from gui.plots.quantity_curves import QuantityCurves
from gui.plots.training_curves import TrainingCurves
from labdiff.events import AlignmentStep, TrainingStep


class TrainingPlots(QTabWidget):
    """Shows loss and discrepancy, the twin's alignment parameters, and how fast the bench measured."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("training_plots")
        self.learning = TrainingCurves()
        self.fit = FitCurves()
        self.alignment = AlignmentCurves()
        self.pace = QuantityCurves("pace_curves", pace=True)
        self.addTab(self.learning, "Learning")
        self.addTab(self.fit, "Alignment fit")
        self.addTab(self.alignment, "Parameters")
        self.addTab(self.pace, "Pace")
        self.currentChanged.connect(self.redraw)

    def add(self, step: TrainingStep) -> None:
        """Add a training step, to be drawn at the next `redraw`."""
        self.learning.add(step)
        self.pace.add(step)
        self.alignment.add(step)

    def add_alignment(self, step: AlignmentStep) -> None:
        """Add a step of the alignment fit, to be drawn at the next `redraw`."""
        self.fit.add(step)
        self.alignment.add(step)

    def clear(self) -> None:
        """Forget the last training."""
        for curves in (self.learning, self.fit, self.alignment, self.pace):
            curves.clear()

    def redraw(self) -> None:
        """Draw the curves of the tab in view."""
        shown = self.currentWidget()
        if isinstance(shown, ChartBox):
            shown.redraw()
