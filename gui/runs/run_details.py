"""One run, tab by tab."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QGridLayout, QLabel, QTabWidget, QTextBrowser, QWidget

from gui import style
from gui.image_view import ImageView
from gui.plots.alignment_curves import AlignmentCurves
from gui.plots.pace_curves import PaceCurves
from gui.plots.training_curves import TrainingCurves
from gui.runs.run_page import run_page
from gui.widgets.denoising_view import DenoisingView
from labdiff.reader import RunFile

VIEWS = {
    "noisy": ("Noisy image x_t", "", "CET-L1", False),
    "input_field": ("Input pattern", "rad", "CET-C2", False),
    "camera": ("Camera", "of the flat reference", "inferno", False),
    "predicted_noise": ("Predicted noise", "", "CET-D1", True),
    "true_noise": ("True noise", "", "CET-D1", True),
}


class RunDetails(QTabWidget):
    """What a run file holds; what the user looks at stays in view while the run grows."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_details")
        self._run: RunFile | None = None
        self.page = QTextBrowser()
        self.page.setObjectName("run_page")
        self.curves = TrainingCurves("run_curves")
        self.alignment = AlignmentCurves("run_alignment")
        self.pace = PaceCurves("run_pace")
        self.images = DenoisingView("run_images")
        self.views = {name: ImageView(*how) for name, how in VIEWS.items()}
        self.no_pictures = QLabel("No pictures of a training step yet")
        pictures = QWidget()
        grid = QGridLayout(pictures)
        grid.addWidget(self.no_pictures, 0, 0, 1, 3)
        for place, view in enumerate(self.views.values()):
            grid.addWidget(view, 1 + place // 3, place % 3)
        for widget, words in (
            (self.page, "Overview"),
            (self.curves, "Learning"),
            (self.alignment, "Alignment"),
            (self.pace, "Pace"),
            (pictures, "Last step"),
            (self.images, "Images"),
        ):
            self.addTab(widget, words)
        style.style.changed.connect(self._show_page)

    def show_run(self, run: RunFile) -> None:
        """Another run, or the same with more in it."""
        another = self._run is None or self._run.path != run.path
        self._run = run
        if another:
            for curves in (self.curves, self.alignment, self.pace):
                curves.clear()
                curves.name_source(run.path.parent.name or run.path.stem, run.path.parent)
            self.images.clear()
        self._show_page()
        self.curves.show_columns(run.columns, run.figures)
        self.alignment.show_columns(run.columns)
        self.pace.show_columns(run.columns)
        self._show_pictures(run)
        times = sorted((name for name in run.generated if name.startswith("t_")), reverse=True)
        self.images.show_moments([(int(name[2:]), run.generated[name]) for name in times])

    def _show_page(self) -> None:
        if self._run is None:
            return
        bar = self.page.verticalScrollBar()
        place = bar.value()
        self.page.setHtml(run_page(self._run))
        bar.setValue(place)

    def _show_pictures(self, run: RunFile) -> None:
        known = {name: picture for name, picture in run.pictures.items() if picture.ndim == 2}
        truth = known.get("true_noise", np.zeros((1, 1), np.float32))
        limit = float(np.nanmax(np.abs(truth))) if np.isfinite(truth).any() else None
        self.no_pictures.setVisible(not known)
        for name, view in self.views.items():
            view.setVisible(name in known)
            if name in known:
                # Both noises share their levels, so that the eye compares like with like.
                view.show_picture(known[name], limit if "noise" in name else None)
