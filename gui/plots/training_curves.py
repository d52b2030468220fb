"""Curves of learning: loss and discrepancy, with methods, baselines and the alignment fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gui.plots.column import Floats
from gui.plots.quantity_curves import QuantityCurves, Rows, count_of
from labdiff.events import AlignmentStep, TrainingStep
from labdiff.runs.training_quantities import DISCREPANCY, LOSS

METHODS = {
    "offline": "offline",
    "calibrated": "calibrated twin",
    "physics_aware": "physics-aware",
    "online": "online",
}
"""Labels of the methods of `labdiff.training.methods`."""
BASELINES = {"identity": False, "Wiener": True}
"""Names of the baselines, and whether their line is dashed."""


class TrainingCurves(QuantityCurves):
    """Shows the quantities of learning beside both baselines.

    A step of the alignment fit is a step too: it has a discrepancy and no loss.
    """

    def __init__(self, name: str = "training_curves") -> None:
        super().__init__(name)
        self.loss, self.match = self.by_axes[LOSS], self.by_axes[DISCREPANCY]
        self._method = ""

    def add(self, step: TrainingStep) -> None:
        """Add a training step, to be drawn at the next `redraw`."""
        self._mark_method(step.method, self.steps)
        super().add(step)

    def add_alignment(self, step: AlignmentStep) -> None:
        """Add a step of the alignment fit, to be drawn at the next `redraw`."""
        for quantity, curve in self._curves.items():
            curve.append(step.discrepancy if quantity.name == "discrepancy" else None)

    def set_baselines(self, identity: float, wiener: float) -> None:
        """Set the losses to compare with: those of a relay lens and of the best linear predictor."""
        for name, value in zip(BASELINES, (identity, wiener), strict=True):
            self.loss.set_level(name, value, BASELINES[name])

    def show_columns(
        self, columns: dict[str, Rows], figures: dict[str, float] | None = None
    ) -> None:
        """Show a run in place of all that was added.

        Args:
            columns: Tables of the run, as `labdiff.runs.reader` returns them.
            figures: Figures of the run; mse_identity and mse_wiener are the baselines.
        """
        training, alignment = columns.get("training", {}), columns.get("alignment", {})
        if "discrepancy" not in alignment:
            alignment = {}
        among, between = in_turn(training, alignment)
        total = len(among) + len(between)
        for chart in self.charts:
            chart.remove_lines()
        for quantity, curve in self._curves.items():
            values: Floats = np.full(total, np.nan)
            if quantity.name in training:
                values[among] = quantity.factor * training[quantity.name]
            if quantity.name == "discrepancy" and len(between):
                values[between] = alignment["discrepancy"]
            curve.clear()
            curve.extend(values)
        self._method = ""
        methods = training.get("method", np.empty(0, object))
        changed = np.flatnonzero(methods[1:] != methods[:-1]) + 1
        for place in ([0, *changed.tolist()]) if len(methods) else ():
            self._mark_method(str(methods[place]), int(among[place]))
        known = figures or {}
        if {"mse_identity", "mse_wiener"} <= set(known):
            self.set_baselines(known["mse_identity"], known["mse_wiener"])
        self.redraw()

    def clear(self) -> None:
        """Forget the last run and its baselines."""
        super().clear()
        self._method = ""

    def _mark_method(self, method: str, step: int) -> None:
        if method != self._method:
            self._method = method
            for chart in self.charts:
                chart.mark(step, METHODS.get(method, method))


def in_turn(first: Rows, second: Rows) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the places of two tables' rows when they are merged in the order of their times."""
    counts = [count_of(rows) for rows in (first, second)]
    if not all(counts):
        return np.arange(counts[0]), np.arange(counts[1])
    order = np.argsort(np.concatenate([first["time_s"], second["time_s"]]), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[: counts[0]], place[counts[0] :]
