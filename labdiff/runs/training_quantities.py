"""The quantities of a training step: one record each, from which terminal, report and window draw.

A quantity is a field of `labdiff.events.TrainingStep` (None where a step has none of it), and the recorder
makes a column of every such field. Here stands where and how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labdiff.events import TrainingStep

Columns = Mapping[str, npt.NDArray[Any]]
WIENER = "wiener_mse"
"""Name of the error of the best linear predictor on the timesteps of a step's layer set."""


@dataclass(frozen=True, slots=True)
class ChartAxes:
    """Axes that quantities share.

    title: above the chart. axis: of its values, with the unit. log: whether they are logarithmic.
    limits: of the axis, if they are fixed. unscaled: of the values of runs that recorded nothing by which
    they are divided.
    """

    title: str
    axis: str
    log: bool = True
    limits: tuple[float, float] | None = None
    unscaled: str = ""


@dataclass(frozen=True, slots=True)
class TrainingQuantity:
    """A number that each training step has.

    name: of the event's field and of the run file's column. title: where it stands alone. label: in the
    legend of its chart. factor: from the recorded value to that of the axis. reference: whether it is
    something that others are compared with, and so drawn in grey. pace: the recent mean as text, of a
    quantity of the bench's pace; empty for one of learning. over: the quantity by which it is divided, ""
    for none.
    """

    name: str
    title: str
    chart: ChartAxes
    label: str
    factor: float = 1.0
    reference: bool = False
    pace: str = ""
    over: str = ""

    def of_step(self, step: TrainingStep) -> float | None:
        """Return the value of a step on the chart's axis; None if the step has none."""
        value: float | None = getattr(step, self.name)
        if value is None:
            return None
        divisor: float | None = getattr(step, self.over) if self.over else None
        return self.factor * value if divisor is None else self.factor * value / divisor

    def of_columns(self, columns: Columns) -> npt.NDArray[np.float64]:
        """Return the values of a run's steps on the chart's axis; NaN where a step has none."""
        count = max((len(column) for column in columns.values()), default=0)
        values = np.full(count, np.nan)
        if self.name in columns:
            values[:] = self.factor * columns[self.name]
        if self.over and is_scaled(columns):
            values /= columns[self.over]
        return values


LOSS = ChartAxes("Loss", "noise MSE / Wiener's", unscaled="noise MSE of a batch")
DISCREPANCY = ChartAxes("Mismatch camera vs. twin", "1 - correlation")
LIGHT = ChartAxes("Light", "scale, offset", log=False)
FRAME_RATE = ChartAxes("Frame rate", "frames/s", log=False)
DUTY = ChartAxes("Bench duty", "% of the time", log=False, limits=(0.0, 100.0))

TRAINING_QUANTITIES = (
    TrainingQuantity("bench_mse", "noise MSE / Wiener's, bench", LOSS, "bench", over=WIENER),
    TrainingQuantity("twin_mse", "noise MSE / Wiener's, twin", LOSS, "twin", over=WIENER),
    TrainingQuantity(
        "identity_mse", "identity / Wiener's", LOSS, "identity", reference=True, over=WIENER
    ),
    TrainingQuantity(
        "discrepancy", "mismatch camera vs. twin (1 - correlation)", DISCREPANCY, "camera to twin"
    ),
    TrainingQuantity(
        "noise_floor", "mismatch of a perfect twin", DISCREPANCY, "noise floor", reference=True
    ),
    TrainingQuantity("intensity_scale", "scale of the light", LIGHT, "scale"),
    TrainingQuantity("intensity_offset", "offset of the light", LIGHT, "offset"),
    TrainingQuantity("frames_per_s", "frame rate", FRAME_RATE, "measured", pace="{:.3g} frames/s"),
    TrainingQuantity("duty", "bench duty", DUTY, "measuring", 100.0, pace="bench duty {:.0%}"),
)
"""The quantities in the order in which they are shown."""


def is_scaled(columns: Columns) -> bool:
    """Return whether the run recorded the error of the linear predictor, which divides its losses."""
    return WIENER in columns and bool(np.isfinite(columns[WIENER]).any())


def layer_set_label(layer_set: int, first_t: int, end_t: int) -> str:
    """Return the timesteps of a layer set as text, or its number where they are not known.

    Args:
        layer_set: Its number.
        first_t: First timestep of its range.
        end_t: First timestep after it; not above first_t where the range is not known.
    """
    return f"t {first_t} ... {end_t - 1}" if end_t > first_t else f"set {layer_set}"


@dataclass(frozen=True, slots=True)
class LayerSetBegin:
    """A step at which another method or another layer set begins, and what to write there."""

    step: int
    method: str
    label: str


def layer_set_begins(columns: Columns) -> list[LayerSetBegin]:
    """Return where in a run another method or another layer set begins."""
    count = max((len(column) for column in columns.values()), default=0)
    unknown = np.zeros(count)
    methods = columns.get("method", np.full(count, "", object))
    numbers, first_t, end_t = (
        np.nan_to_num(columns.get(name, unknown)).astype(int)
        for name in ("layer_set", "first_t", "end_t")
    )
    other = (methods[1:] != methods[:-1]) | (numbers[1:] != numbers[:-1])
    steps = [0, *(np.flatnonzero(other) + 1).tolist()] if count else []
    return [
        LayerSetBegin(
            step, str(methods[step]), layer_set_label(numbers[step], first_t[step], end_t[step])
        )
        for step in steps
    ]


def charts(pace: bool = False) -> dict[ChartAxes, tuple[TrainingQuantity, ...]]:
    """Return the charts of learning, or those of the bench's pace, with their quantities, in order."""
    chosen = [quantity for quantity in TRAINING_QUANTITIES if bool(quantity.pace) == pace]
    return {
        chart: tuple(quantity for quantity in chosen if quantity.chart == chart)
        for chart in dict.fromkeys(quantity.chart for quantity in chosen)
    }
