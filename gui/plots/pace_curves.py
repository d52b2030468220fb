"""How fast the bench measures, and how busy it is."""

from __future__ import annotations

import numpy as np

from gui import style
from gui.plots.chart_box import ChartBox
from gui.plots.training_curves import Rows, count_of
from labdiff.events import TrainingStep


class PaceCurves(ChartBox):
    """Frames a second and bench duty, over training steps."""

    def __init__(self, name: str = "pace_curves") -> None:
        super().__init__(name, log=False)
        self.log_button.hide()
        rate = self.add_chart("Frame rate", "frames/s", log=False)
        duty = self.add_chart("Bench duty", "% of the time", log=False)
        duty.limits = (0.0, 100.0)
        self._rate = rate.add_curve("measured", lambda: style.theme().bench)
        self._duty = duty.add_curve("measuring", lambda: style.theme().good)

    def add(self, step: TrainingStep) -> None:
        """Take one step; drawn at the next `redraw`."""
        self._rate.append(step.frames_per_s)
        self._duty.append(None if step.duty is None else 100.0 * step.duty)

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Instead of all that was added, a run as `labdiff.runs.reader` gives it."""
        training = columns.get("training", {})
        unknown = np.full(count_of(training), np.nan)
        for curve, values in (
            (self._rate, training.get("frames_per_s", unknown)),
            (self._duty, 100.0 * training.get("duty", unknown)),
        ):
            curve.clear()
            curve.extend(values)
        self.redraw()
