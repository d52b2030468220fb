"""Curves of learning: the loss beside the best linear predictor's, the discrepancy, the light."""

from __future__ import annotations

from gui.plots.quantity_curves import QuantityCurves, Rows
from labdiff.events import TrainingStep
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
    "further": "further, on the twin",
    "physics_aware": "physics-aware",
    "spsa": "simultaneous perturbation",
    "policy_gradient": "policy gradient",
    "online": "online",
}
"""Labels of the methods of `labdiff.training.methods`."""


class TrainingCurves(QuantityCurves):
    """Shows the quantities of learning, with the timesteps of each layer set.

    A loss is divided by Wiener's on the timesteps of its layer set: errors of different timesteps lie far
    apart. A run that did not record Wiener's shows the plain noise MSE.
    """

    def __init__(self, name: str = "training_curves") -> None:
        super().__init__(name)
        self.loss, self.match = self.by_axes[LOSS], self.by_axes[DISCREPANCY]
        self._layer_set: tuple[str, int] = ("", -1)
        self._show_scale(scaled=True)

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

    def show_columns(self, columns: dict[str, Rows]) -> None:
        """Show a run, as `labdiff.runs.reader` returns it, in place of all that was added."""
        training = columns.get("training", {})
        for chart in self.charts:
            chart.remove_lines()
        self._layer_set = ("", -1)
        self._show_scale(is_scaled(training) or not training)
        for begin in layer_set_begins(training):
            self._mark(begin.step, begin.method, begin.label)
        super().show_columns(columns)

    def clear(self) -> None:
        """Forget the last run."""
        super().clear()
        self._layer_set = ("", -1)
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
