"""All curves of a training, one tab each kind."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget

from gui.plots.alignment_curves import AlignmentCurves
from gui.plots.pace_curves import PaceCurves
from gui.plots.training_curves import TrainingCurves
from labdiff.events import AlignmentStep, TrainingStep


class TrainingPlots(QTabWidget):
    """Loss and discrepancy; what the twin has learnt of the bench; how well the bench was used."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("training_plots")
        self.learning = TrainingCurves()
        self.alignment = AlignmentCurves()
        self.pace = PaceCurves()
        self.addTab(self.learning, "Learning")
        self.addTab(self.alignment, "Alignment")
        self.addTab(self.pace, "Pace")
        self.currentChanged.connect(self.redraw)

    def add(self, step: TrainingStep) -> None:
        """Take one step; drawn at the next `redraw`."""
        self.learning.add(step)
        self.pace.add(step)
        self.alignment.add(step)

    def add_alignment(self, step: AlignmentStep) -> None:
        """Take one step of the alignment fit."""
        self.learning.add_alignment(step)
        self.alignment.add(step)

    def set_baselines(self, identity: float, wiener: float) -> None:
        """What a loss has to be compared with."""
        self.learning.set_baselines(identity, wiener)

    def clear(self) -> None:
        """Another training begins."""
        for curves in (self.learning, self.alignment, self.pace):
            curves.clear()

    def redraw(self) -> None:
        """What can be seen."""
        shown = self.currentWidget()
        if isinstance(shown, TrainingCurves | AlignmentCurves | PaceCurves):
            shown.redraw()
