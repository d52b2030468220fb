"""Curves of learning: the loss beside the best linear predictor's, the discrepancy, the alignment fit."""

from __future__ import annotations

import numpy as np

from gui import style
from gui.plots.quantity_curves import QuantityCurves, Rows
from labdiff.events import AlignmentStep, TrainingStep
from labdiff.runs.training_quantities import (
    DISCREPANCY,
    LOSS,
    is_scaled,
    layer_set_begins,
    layer_set_label,
)

METHODS = {
    "offline": "offline",
    "calibrated": "calibrated twin",
    "physics_aware": "physics-aware",
    "online": "online",
}
"""Labels of the methods of `labdiff.training.methods`."""
FIT_AXIS = "fit step"
"""Axis of the alignment fit, whose steps are none of the training's."""


class TrainingCurves(QuantityCurves):
    """Shows the quantities of learning, with the timesteps of each layer set, and the alignment fit.

    A loss is divided by Wiener's on the timesteps of its layer set: errors of different timesteps lie far
    apart. A run that did not record Wiener's shows the plain noise MSE.
    """

    def __init__(self, name: str = "training_curves") -> None:
        super().__init__(name)
        self.loss, self.match = self.by_axes[LOSS], self.by_axes[DISCREPANCY]
        self.fit_chart = self.add_chart("Alignment fit", DISCREPANCY.axis, axis=FIT_AXIS)
        self._fit_curve = self.fit_chart.add_curve(
            "camera to twin", lambda: style.theme().discrepancy
        )
        self._layer_set: tuple[str, int] = ("", -1)
        self._fits = 0
        self._show_scale(scaled=True)

    @property
    def steps(self) -> int:
        """Number of training steps."""
        return max(chart.steps for chart in self.by_axes.values())

    @property
    def fit_steps(self) -> int:
        """Number of steps of the alignment fit."""
        return self.fit_chart.steps

    def add(self, step: TrainingStep) -> None:
        """Add a training step, to be drawn at the next `redraw`."""
        if not self.steps:
            self._show_scale(step.wiener_mse is not None)
        if self._layer_set != (step.method, step.layer_set):
            self._mark(
                self.steps, step.method, layer_set_label(step.layer_set, step.first_t, step.end_t)
            )
            self._layer_set = (step.method, step.layer_set)
        super().add(step)

    def add_alignment(self, step: AlignmentStep) -> None:
        """Add a step of an alignment fit, to be drawn at the next `redraw`."""
        if step.step == 0:
            self._mark_fit()
        self._fit_curve.append(step.discrepancy)

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Show a run, as `labdiff.runs.reader` returns it, in place of all that was added."""
        training, fit = columns.get("training", {}), columns.get("alignment", {})
        for chart in self.charts:
            chart.remove_lines()
        self._layer_set, self._fits = ("", -1), 0
        self._show_scale(is_scaled(training) or not training)
        for begin in layer_set_begins(training):
            self._mark(begin.step, begin.method, begin.label)
        self._fit_curve.clear()
        if "discrepancy" in fit:
            self._fit_curve.extend(fit["discrepancy"])
            for row in np.flatnonzero(fit.get("step", np.empty(0)) == 0):
                self._mark_fit(int(row))
        super().show_columns(columns)

    def clear(self) -> None:
        """Forget the last run."""
        super().clear()
        self._layer_set, self._fits = ("", -1), 0
        self._show_scale(scaled=True)

    def _show_scale(self, scaled: bool) -> None:
        """Label the losses as multiples of Wiener's, with Wiener's at 1, or as plain errors."""
        self.loss.set_unit(LOSS.axis if scaled else LOSS.unscaled)
        self.loss.remove_level("Wiener")
        if scaled:
            self.loss.set_level("Wiener", 1.0, dashed=True)

    def _mark(self, step: int, method: str, label: str) -> None:
        """Mark where a layer set begins, and with the first one of a method the method."""
        if method != self._layer_set[0]:
            label = f"{METHODS.get(method, method)}, {label}"
        self._layer_set = (method, self._layer_set[1])
        for chart in self.by_axes.values():
            chart.mark(step, label)

    def _mark_fit(self, row: int | None = None) -> None:
        self._fits += 1
        self.fit_chart.mark(self.fit_steps if row is None else row, f"fit {self._fits}")
