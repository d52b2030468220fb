"""One run in detail, tab by tab."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget, QTextBrowser

from gui import style
from gui.plots.alignment_curves import AlignmentCurves
from gui.plots.fit_curves import FitCurves
from gui.plots.quantity_curves import QuantityCurves
from gui.plots.training_curves import TrainingCurves
from gui.runs.evaluation_page import NONE_YET
from gui.runs.replay_view import ReplayView
from gui.runs.run_page import run_page
from gui.widgets.denoising_view import DenoisingView
from labdiff.runs.picture_history import PictureHistory
from labdiff.runs.reader import RunFile


class RunDetails(QTabWidget):
    """Shows what a run file contains; the tab and the place in view stay while the run grows."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_details")
        self._run: RunFile | None = None
        self._evaluated = ""
        self.page = QTextBrowser()
        self.page.setObjectName("run_page")
        self.curves = TrainingCurves("run_curves")
        self.fit = FitCurves("run_fit")
        self.alignment = AlignmentCurves("run_alignment")
        self.pace = QuantityCurves("run_pace", pace=True)
        self.images = DenoisingView("run_images")
        self.replay = ReplayView("run_replay")
        self.evaluation = QTextBrowser()
        self.evaluation.setObjectName("run_evaluation")
        for widget, title in (
            (self.page, "Overview"),
            (self.curves, "Learning"),
            (self.fit, "Alignment fit"),
            (self.alignment, "Parameters"),
            (self.pace, "Pace"),
            (self.replay, "Replay"),
            (self.images, "Images"),
            (self.evaluation, "Evaluation"),
        ):
            self.addTab(widget, title)
        style.style.changed.connect(self._show_page)

    def show_run(
        self, run: RunFile, history: PictureHistory | None = None, evaluation: str | None = None
    ) -> None:
        """Show another run, or the same with more in it.

        Args:
            run: The run.
            history: Pictures along it, if it has any.
            evaluation: Page of its evaluation, if it was evaluated.
        """
        another = self._run is None or self._run.path != run.path
        self._run = run
        if another:
            for curves in (self.curves, self.fit, self.alignment, self.pace):
                curves.clear()
                curves.name_source(run.path.parent.name or run.path.stem, run.path.parent)
            self.images.clear()
            self.replay.clear()
        self._show_page()
        page = NONE_YET if evaluation is None else evaluation
        if another or page != self._evaluated:
            self._evaluated = page
            self.evaluation.setHtml(page)
        self.curves.show_columns(run.columns)
        self.fit.show_columns(run.columns)
        self.alignment.show_columns(run.columns)
        self.pace.show_columns(run.columns)
        self.replay.show_history(history, run.pictures)
        times = sorted((name for name in run.generated if name.startswith("t_")), reverse=True)
        self.images.show_moments([(int(name[2:]), run.generated[name]) for name in times])

    def _show_page(self) -> None:
        if self._run is None:
            return
        bar = self.page.verticalScrollBar()
        place = bar.value()
        self.page.setHtml(run_page(self._run))
        bar.setValue(place)
