"""Show a run file as one screen of text: its stage, curves, the twin's parameters, figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from drivers.plain_text import plain_line
from labdiff.owner import living_owner
from labdiff.reports.labels import FIGURE_LABELS, duration
from labdiff.runs.reader import DIED, RUNNING, RunFile
from labdiff.runs.training_quantities import TRAINING_QUANTITIES, is_scaled, layer_set_label
from twin.parameter_labels import recorded_label, recorded_unit
from twin.parameters import shown_names

Column = npt.NDArray[Any]
Rows = dict[str, Column]
BARS = "▁▂▃▄▅▆▇█"
"""Characters of a curve, from the least value to the greatest."""
WIDTH = 48
"""Width of a curve, characters."""
LONGEST_PATH, LONGEST_REASON = 1_000, 2_000
"""Number of characters of a run file's path and of the reason of its end that are shown."""
RECENT = 50
"""Number of steps over which speed and duty are averaged."""
SILENT_SECONDS = 60.0
"""Time without an event after which it is said for how long; a long fit on a slow computer takes less."""
STYLES = {"completed": "green", "failed": "red", "stopped": "yellow", DIED: "red"}
"""Colours of the outcomes."""


def run_view(run: RunFile, now_s: float) -> RenderableType:
    """Return what `labdiff watch` shows of a run. now_s: the present time, seconds since 1970."""
    training = run.columns.get("training", {})
    parts: list[RenderableType] = [_headline(run, now_s), _stage(run)]
    if training:
        parts += [_curves(training), _pace(training)]
        known = _alignment(training)
        parts += [known] if known is not None else []
    if run.figures:
        parts.append(_figures(run))
    return Group(*parts)


def _headline(run: RunFile, now_s: float) -> Text:
    style = STYLES.get(run.outcome, "cyan")
    text = Text.assemble(
        (plain_line(run.path, LONGEST_PATH), "bold"),
        "  ",
        (run.outcome, style),
        f"  seed {run.seed}",
        no_wrap=True,
    )
    if run.simulated:
        text.append(f"\n{run.simulated}", "bold")
    if run.reason:
        text.append(f"\n{plain_line(run.reason, LONGEST_REASON)}", style)
    silent_s = now_s - _last_s(run)
    if run.outcome == DIED:
        text.append(
            f"\nits program ended without a word; resume it: labdiff train --resume {run.path}",
            "yellow",
        )
    elif run.outcome == RUNNING and silent_s > SILENT_SECONDS:
        owner = living_owner(run.path)
        held = f", held by {owner.describe()}" if owner is not None else ""
        text.append(f"\nnothing new for {duration(silent_s)}{held}", "yellow")
    return text


def _last_s(run: RunFile) -> float:
    times = [table["time_s"][-1] for table in run.columns.values() if len(table.get("time_s", ()))]
    return float(max(times, default=np.inf))


def _stage(run: RunFile) -> Text:
    stages = run.columns.get("stages", {})
    if not stages:
        return Text("preparing ...")
    text = plain_line(stages["stage"][-1])
    begun_s = float(stages["time_s"][-1])
    for kind, index, total in (
        ("training", "step", "total"),
        ("alignment", "step", "total"),
        ("calibration", "index", "total"),
    ):
        table = run.columns.get(kind, {})
        if not table or float(table["time_s"][-1]) < begun_s:
            continue
        done, of = int(table[index][-1]) + 1, int(table[total][-1])
        text += f": {done} of {of}"
        times = table["time_s"][table["time_s"] >= begun_s][-RECENT:]
        if run.outcome == RUNNING and len(times) > 1:
            left_s = (of - done) * float(times[-1] - times[0]) / (len(times) - 1)
            text += f", {duration(left_s)} left"
        break
    return Text(text)


def _curves(training: Rows) -> Table:
    table = Table(_layer_set(training), "", "now", "least", box=None, pad_edge=False)
    scaled = is_scaled(training)
    for quantity in TRAINING_QUANTITIES:
        values = quantity.of_columns(training)
        values = values[np.isfinite(values)]
        if len(values) and not quantity.pace:
            unscaled = quantity.over and not scaled
            title = f"{quantity.chart.unscaled}, {quantity.label}" if unscaled else quantity.title
            now, least = f"{values[-1]:.4g}", f"{values.min():.4g}"
            table.add_row(title, sparkline(values), now, least)
    return table


def _layer_set(training: Rows) -> str:
    """Return the number and the timesteps of the layer set in training; "" where they are not recorded."""
    if "end_t" not in training or not np.isfinite(training["end_t"][-1]):
        return ""
    number, first_t, end_t = (int(training[k][-1]) for k in ("layer_set", "first_t", "end_t"))
    return f"layer set {number}, {layer_set_label(number, first_t, end_t)}"


def sparkline(values: npt.NDArray[np.floating], width: int = WIDTH) -> str:
    """Return positive values as bars on a logarithmic scale; more values than `width` are averaged."""
    parts = np.array_split(values, min(width, len(values)))
    heights = np.log([max(float(part.mean()), 1e-12) for part in parts])
    low, span = float(heights.min()), max(float(np.ptp(heights)), 1e-9)
    return "".join(BARS[int((h - low) / span * (len(BARS) - 1) + 0.5)] for h in heights)


def _pace(training: Rows) -> Text:
    parts = []
    for quantity in TRAINING_QUANTITIES:
        values = training.get(quantity.name, np.empty(0))[-RECENT:]
        if quantity.pace and np.isfinite(values).any():
            parts.append(quantity.pace.format(float(np.nanmean(values))))
    if "repeated" in training:
        parts.append(f"{int(np.nansum(training['repeated']))} frames measured again")
    return Text(", ".join(parts))


def _alignment(training: Rows) -> Table | None:
    table = Table("the twin has", "", "one deviation", box=None, pad_edge=False)
    for _, name in shown_names():
        values = training.get(f"alignment_{name}", np.empty(0))
        if not len(values) or not np.isfinite(values[-1]):
            continue
        deviations = training.get(f"deviation_{name}", np.empty(0))
        known = len(deviations) and np.isfinite(deviations[-1])
        described = f"{recorded_label(name)}, {recorded_unit(name)}"
        table.add_row(described, f"{values[-1]:+.4f}", f"{deviations[-1]:.2g}" if known else "")
    return table if table.row_count else None


def _figures(run: RunFile) -> Table:
    table = Table("", "", box=None, pad_edge=False)
    for name, label in FIGURE_LABELS.items():
        if name in run.figures:
            table.add_row(label, f"{run.figures[name]:.4g}")
    return table
