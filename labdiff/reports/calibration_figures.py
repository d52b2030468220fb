"""The quantities of calibration results, and figures of them over past calibrations."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from calibration.alignment_found import AlignmentFound
from calibration.archive import Stored
from calibration.result_file import Result
from twin.parameters import shown_names

Dates = npt.NDArray[np.datetime64]
POINTS = "o-"
"""Style of the points of a history."""


def quantities(result: Result) -> dict[str, tuple[float, float]]:
    """Return the single numbers of a result by name, with standard deviations (NaN if there is none)."""
    found: dict[str, tuple[float, float]] = {}
    names = [field.name for field in fields(result)]
    deviations = {_sigma_name(name) for name in names}
    for name in names:
        value = getattr(result, name)
        if isinstance(value, float | int) and name not in deviations:
            sigma = next(
                (getattr(result, other) for other in names if other == _sigma_name(name)),
                float("nan"),
            )
            found[name] = (float(value), float(sigma))
    for name, value in result.derived_quantities().items():
        found[name] = (value, float("nan"))
    if isinstance(result, AlignmentFound):
        for name, _ in shown_names():
            if name in result.names:
                index = result.names.index(name)
                found[name] = (float(result.value[index]), float(result.sigma[index]))
    return found


def _sigma_name(name: str) -> str:
    """Return the name of a standard deviation: gain_sigma_electrons for gain_electrons."""
    stem, _, unit = name.rpartition("_")
    return f"{stem}_sigma_{unit}"


def history(past: list[Stored], most: int = 12) -> Figure | None:
    """Return a figure of a routine's quantities over time; a failed calibration is a red cross."""
    if len(past) < 2:
        return None
    tables = [quantities(stored.result) for stored in past]
    # numpy knows no time zones: all are UTC.
    when = np.array([stored.provenance.taken_utc[:19] for stored in past], "datetime64[s]")
    good = np.array([stored.good for stored in past])
    names = [name for name in tables[-1] if all(name in table for table in tables)][:most]
    if not names:
        return None
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(10, 2.0 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        values = np.array([table[name][0] for table in tables])
        sigmas = np.nan_to_num([table[name][1] for table in tables])
        ax.errorbar(when[good], values[good], sigmas[good], fmt=POINTS, ms=4, lw=1, capsize=2)
        ax.plot(when[~good], values[~good], "x", color="C3", ms=7)
        _dates(ax, when[[0, -1]])
        ax.set_title(name.replace("_", " "), fontsize=9)
        ax.tick_params(labelsize=7)
        ax.ticklabel_format(axis="y", useOffset=False)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return figure


def _dates(ax: Axes, ends: Dates) -> None:
    """Label a time axis at both ends, which suits minutes and years alike."""
    labels = [str(when).replace("T", " ") for when in ends.astype("datetime64[m]")]
    ax.set_xticks(ends, labels)
    left, right = ax.get_xticklabels()
    left.set_horizontalalignment("left")
    right.set_horizontalalignment("right")
