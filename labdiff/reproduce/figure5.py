"""Figure 5: layer resolution, number of layers and number of layer sets against errors and image scores."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.image_scores import ImageScorers
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.scan import Point, ScanSettings, scored_point, settings_of

PANELS = {
    "side": "side of a layer, pixels",
    "layers": "layers N",
    "layer_sets": "layer sets M",
}
"""Labels of the hyperparameters, each of which has a panel."""
FIGURES = {
    "noise_mse": "noise MSE",
    "fid": "Inception FID",
    "kid": "Inception KID",
    "classifier_fid": "classifier-FID",
    "classifier_kid": "classifier-KID",
    "classifier_is": "classifier-IS",
}
"""Labels of the figures of merit, by column."""


def job(context: Context, settings: ScanSettings | None = None) -> Job[Result]:
    """Train and score every unit once, though several panels may show it."""
    chosen = settings_of(context, settings)
    scorers = ImageScorers.of(context)
    points = {name: chosen.points(name) for name in PANELS}
    found: dict[Point, Row] = {}
    different = dict.fromkeys(point for panel in points.values() for point in panel)
    yield JobStarted(context.name, len(different))
    for point in different:
        found[point] = yield from scored_point(context, chosen, point, scorers)
    rows: list[Row] = [
        {"panel": name, **found[point]} for name, panel in points.items() for point in panel
    ]
    return Result(picture(rows), rows, sentence(rows, chosen, scorers))


def picture(rows: list[Row]) -> Figure:
    """Draw a column for each hyperparameter and a row for each figure of merit, with 95 % intervals."""
    shown = {name: label for name, label in FIGURES.items() if rows[0].get(name) is not None}
    figure = Figure(figsize=(9.0, 1.9 * len(shown) + 0.5), layout="constrained")
    grid = figure.subplots(len(shown), len(PANELS), sharey="row", squeeze=False)
    for line, (name, label) in zip(grid, shown.items(), strict=True):
        for ax, panel in zip(line, PANELS, strict=True):
            _panel(ax, [row for row in rows if row["panel"] == panel], panel, name)
            ax.tick_params(labelsize=8)
            ax.grid(alpha=0.3)
        line[0].set_ylabel(label, fontsize=9)
    for ax, label in zip(grid[-1], PANELS.values(), strict=True):
        ax.set_xlabel(label)
    return figure


def _panel(ax: Axes, rows: list[Row], panel: str, name: str) -> None:
    x = [number(row[panel]) for row in rows]
    y = [number(row[name]) for row in rows]
    if f"{name}_low" in rows[0]:
        low = [max(v - number(row[f"{name}_low"]), 0.0) for v, row in zip(y, rows, strict=True)]
        high = [max(number(row[f"{name}_high"]) - v, 0.0) for v, row in zip(y, rows, strict=True)]
        ax.errorbar(x, y, [low, high], fmt="o-", ms=4, capsize=2)
    else:
        ax.plot(x, y, "o-", ms=4, label="ODU")
        ax.plot(x, [number(row["mse_wiener"]) for row in rows], "--", color="0.5", label="Wiener")
        if panel == "side":
            ax.legend(fontsize=7)
    ax.set_xticks(x)


def sentence(rows: list[Row], settings: ScanSettings, scorers: ImageScorers) -> str:
    """Report whether the error falls with each hyperparameter like the paper's.

    Args:
        rows: the units of each panel.
        settings: of the scan.
        scorers: of the images.
    """
    parts = []
    for panel, name in PANELS.items():
        panel_rows = [row for row in rows if row["panel"] == panel]
        errors = ", ".join(f"{number(row['noise_mse']):.3g}" for row in panel_rows)
        distances = ", ".join(f"{number(row[scorers.distance]):.3g}" for row in panel_rows)
        values = ", ".join(str(row[panel]) for row in panel_rows)
        parts.append(f"{name} {values}: noise MSE {errors}, {scorers.distance_name} {distances}")
    least = min((row for row in rows if row["panel"] == "layer_sets"), key=_error)["layer_sets"]
    fall = {panel: _falls([row for row in rows if row["panel"] == panel]) for panel in PANELS}
    return (
        f"{'; '.join(parts)}. In the paper the error falls with pixels and with layers: ours "
        f"{fall['side']} with pixels and {fall['layers']} with layers. The paper's best M at a fixed "
        f"budget is 10, and more starve each layer set; here, at {settings.budget:,} steps, M = {least} "
        f"has the least error. {settings.data}, {rows[0]['count']} images on each side; a layer set "
        "starts from the one before it, the paper's start anew."
    )


def _error(row: Row) -> float:
    return number(row["noise_mse"])


def _falls(rows: list[Row]) -> str:
    errors = [_error(row) for row in rows]
    if all(a > b for a, b in pairwise(errors)):
        return "falls at every step"
    return "falls on the whole" if errors[-1] < errors[0] else "does not fall"
