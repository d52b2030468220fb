"""Figures of calibration results: of each result, and of its quantities over past calibrations."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from calibration.alignment_found import AlignmentFound
from calibration.archive import Stored
from calibration.beam import BeamFound
from calibration.dark import DarkLevel
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result_file import Result
from calibration.settling import SettlingFound
from calibration.wavefront import Wavefront
from twin.parameters import shown_names

Dates = npt.NDArray[np.datetime64]
POINTS = "o-"
"""Style of the points of a history."""
LEAST_AMPLITUDE = 0.1
"""Least amplitude of the light at which its phase is shown."""
LINES = 12
"""Number of lines, each way, of the grid that shows where the output plane lies."""


def picture(result: Result, patch_shape: tuple[int, int]) -> Figure | None:
    """Return a figure of a result; None if the result is a handful of numbers."""
    match result:
        case PhaseResponse():
            return _phase_response(result)
        case Registration():
            return _registration(result, patch_shape)
        case AlignmentFound():
            return _alignment(result)
        case BeamFound():
            return _beam(result)
        case Wavefront() if np.isfinite(result.phase_rad).any():
            return _wavefront(result)
        case SettlingFound() if np.isfinite(result.settle_ms):
            return _settling(result)
        case DarkLevel() if len(result.hot_pixels):
            return _hot_pixels(result)
        case _:
            return None


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
    if isinstance(result, PhaseResponse):
        found["stroke_rad"] = (float(result.phase_by_grey_rad[-1]), float("nan"))
    if isinstance(result, Registration):
        scale = float(np.sqrt(abs(np.linalg.det(result.matrix))))
        turn = np.degrees(np.arctan2(result.matrix[1, 0], result.matrix[0, 0]))
        found["scale"] = (scale, float("nan"))
        found["rotation_deg"] = (float(turn), float("nan"))
        for axis, value in zip(("row", "column"), result.offset, strict=True):
            found[f"offset_{axis}_px"] = (float(value), float("nan"))
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


def history(past: list[Stored], most: int = 6) -> Figure | None:
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


def _phase_response(result: PhaseResponse) -> Figure:
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    grey = np.arange(len(result.phase_by_grey_rad))
    linear = 2.0 * np.pi * grey / len(grey)
    left.plot(grey, result.phase_by_grey_rad / np.pi, lw=1.5, label="measured")
    left.plot(grey, linear / np.pi, "--", color="0.5", lw=1, label="without a table")
    left.set(xlabel="grey level", ylabel="phase, pi")
    left.legend(frameon=False)
    right.plot(grey, result.phase_by_grey_rad - linear, lw=1.5)
    right.axhline(0.0, color="0.5", lw=0.8)
    right.set(xlabel="grey level", ylabel="measured - without a table, rad")
    return figure


def _registration(result: Registration, patch_shape: tuple[int, int]) -> Figure | None:
    if not np.isfinite(result.matrix).all():
        return None
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    ax = figure.subplots()
    along_rows, along_columns = (np.linspace(0.0, n - 1.0, LINES) for n in patch_shape)
    grid = np.stack(np.meshgrid(along_rows, along_columns, indexing="ij"), axis=-1)
    for line in (*grid, *grid.swapaxes(0, 1)):
        rows, columns = result.plane_to_camera(line).T
        ax.plot(columns, rows, color="C0", lw=0.7)
    origin = result.plane_to_camera(np.zeros((1, 2)))[0]
    ax.plot(origin[1], origin[0], "o", color="C3")
    ax.set(xlabel="camera column, px", ylabel="camera row, px", aspect="equal")
    ax.set_title("The output plane on the sensor; red: its pixel (0, 0)", fontsize=9)
    ax.invert_yaxis()
    return figure


def _beam(result: BeamFound) -> Figure | None:
    """Return a figure of the amplitude over the first and the last patch."""
    if not result.first_amplitude.size:
        return None
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    maps = (("first patch", result.first_amplitude), ("last patch", result.last_amplitude))
    for ax, (patch, amplitude) in zip(axes, maps, strict=True):
        drawn = ax.imshow(
            amplitude / np.nanmax(amplitude),
            cmap="inferno",
            vmin=0.0,
            vmax=1.0,
            extent=(0, 1, 1, 0),
        )
        ax.set_title(f"amplitude, {patch}", fontsize=9)
        ax.set_xticks([]), ax.set_yticks([])
        figure.colorbar(drawn, ax=ax, shrink=0.8).ax.tick_params(labelsize=7)
    return figure


def _wavefront(result: Wavefront) -> Figure:
    """Return a figure of the phase and amplitude of the light on the last patch."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    # Where there is no light there is no phase.
    lit_rad = np.where(result.amplitude > LEAST_AMPLITUDE, result.phase_rad, np.nan)
    for ax, values, title, colours in (
        (left, lit_rad, "phase on the last patch, rad", "twilight"),
        (right, result.amplitude, "amplitude on the last patch", "inferno"),
    ):
        drawn = ax.imshow(values, cmap=colours, interpolation="nearest")
        ax.set_title(title, fontsize=9)
        ax.set_xticks([]), ax.set_yticks([])
        figure.colorbar(drawn, ax=ax, shrink=0.8).ax.tick_params(labelsize=7)
    return figure


def _settling(result: SettlingFound) -> Figure:
    """Return a figure of a step's time course: wait for the refresh, scan of the panel, crystal."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    ax = figure.subplots()
    time_ms = np.linspace(0.0, 1.2 * result.settle_ms, 400)
    begins_ms = result.latency_ms + result.scan_ms
    for edge, ten_ninety_ms in (("rise", result.rise_ms), ("fall", result.fall_ms)):
        tau_ms = ten_ninety_ms / np.log(9.0)
        left = np.where(time_ms < begins_ms, 1.0, np.exp(-(time_ms - begins_ms) / tau_ms))
        ax.plot(time_ms, 1.0 - left, lw=1.5, label=f"{edge}, {ten_ninety_ms:.1f} ms (10-90 %)")
    ax.axvspan(0.0, result.latency_ms, color="0.92", label="waits for the refresh, at worst")
    ax.axvspan(result.latency_ms, begins_ms, color="0.84", label="the refresh runs down the panel")
    ax.axvline(result.settle_ms, color="C3", lw=1, label=f"settled, {result.settle_ms:.1f} ms")
    ax.set(xlabel="time from the command, ms", ylabel="share of the step, last row")
    ax.legend(frameon=False, fontsize=7, loc="upper left")
    return figure


def _hot_pixels(result: DarkLevel) -> Figure:
    figure = Figure(figsize=(5, 3), layout="constrained")
    ax = figure.subplots()
    ax.plot(result.hot_pixels[:, 1], result.hot_pixels[:, 0], "s", color="C3", ms=3)
    ax.set(xlabel="camera column, px", ylabel="camera row, px", title="hot pixels", aspect="equal")
    ax.invert_yaxis()
    return figure


def _alignment(result: AlignmentFound) -> Figure | None:
    """Return a figure of one held-out probe: on the camera, the unaligned and the aligned twin."""
    if not result.probe_measured.size:
        return None
    figure = Figure(figsize=(11, 2.6), layout="constrained")
    axes = figure.subplots(1, 5)
    measured, before, after = result.probe_measured, result.probe_before, result.probe_after
    brightest = float(np.quantile(measured, 0.999))
    residuals = [before - measured, after - measured]
    limit = float(np.abs(residuals[0]).max())
    panels = (
        (measured, "camera", "inferno", 0.0, brightest),
        (before, "twin by the data sheet", "inferno", 0.0, brightest),
        (residuals[0], "twin - camera, before", "coolwarm", -limit, limit),
        (after, "twin, aligned", "inferno", 0.0, brightest),
        (residuals[1], "twin - camera, after", "coolwarm", -limit, limit),
    )
    for ax, (values, title, colours, low, high) in zip(axes, panels, strict=True):
        drawn = ax.imshow(values, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        ax.set_title(title, fontsize=9)
        ax.set_xticks([]), ax.set_yticks([])
        figure.colorbar(drawn, ax=ax, shrink=0.7).ax.tick_params(labelsize=7)
    return figure
