"""The quantities of a training step: one record each, from which terminal, report and window draw.

A quantity is a field of `labdiff.events.TrainingStep` (None where a step has none of it), and the recorder
makes a column of every such field. Here stands where and how it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChartAxes:
    """Axes that quantities share.

    title: above the chart. axis: of its values, with the unit. log: whether they are logarithmic.
    limits: of the axis, if they are fixed.
    """

    title: str
    axis: str
    log: bool = True
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TrainingQuantity:
    """A number that each training step has.

    name: of the event's field and of the run file's column. title: where it stands alone. label: in the
    legend of its chart. factor: from the recorded value to that of the axis. reference: whether it is
    something that others are compared with, and so drawn in grey. pace: the recent mean as text, of a
    quantity of the bench's pace; empty for one of learning.
    """

    name: str
    title: str
    chart: ChartAxes
    label: str
    factor: float = 1.0
    reference: bool = False
    pace: str = ""


LOSS = ChartAxes("Loss", "noise MSE of a batch")
DISCREPANCY = ChartAxes("Discrepancy", "D = 1 - C")
LIGHT = ChartAxes("Light", "camera = scale x twin + offset", log=False)
FRAME_RATE = ChartAxes("Frame rate", "frames/s", log=False)
DUTY = ChartAxes("Bench duty", "% of the time", log=False, limits=(0.0, 100.0))

TRAINING_QUANTITIES = (
    TrainingQuantity("bench_mse", "noise MSE, bench", LOSS, "bench"),
    TrainingQuantity("twin_mse", "noise MSE, twin", LOSS, "twin"),
    TrainingQuantity("discrepancy", "D = 1 - C", DISCREPANCY, "camera to twin"),
    TrainingQuantity(
        "noise_floor", "D of a perfect twin", DISCREPANCY, "noise floor", reference=True
    ),
    TrainingQuantity("intensity_scale", "scale of the light", LIGHT, "scale"),
    TrainingQuantity("intensity_offset", "offset of the light", LIGHT, "offset"),
    TrainingQuantity("frames_per_s", "frame rate", FRAME_RATE, "measured", pace="{:.3g} frames/s"),
    TrainingQuantity("duty", "bench duty", DUTY, "measuring", 100.0, pace="bench duty {:.0%}"),
)
"""The quantities in the order in which they are shown."""


def charts(pace: bool = False) -> dict[ChartAxes, tuple[TrainingQuantity, ...]]:
    """Return the charts of learning, or those of the bench's pace, with their quantities, in order."""
    chosen = [quantity for quantity in TRAINING_QUANTITIES if bool(quantity.pace) == pace]
    return {
        chart: tuple(quantity for quantity in chosen if quantity.chart == chart)
        for chart in dict.fromkeys(quantity.chart for quantity in chosen)
    }
