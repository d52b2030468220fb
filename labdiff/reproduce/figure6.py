"""Figure 6: FID against the number of trained parameters, a power law, and the single layer beside it."""

from __future__ import annotations

from matplotlib.figure import Figure

from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import plain_logarithmic
from labdiff.reproduce.image_scores import ImageScorers
from labdiff.reproduce.power_law import PowerLaw, fit_power_law
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.scan import ScanSettings, scored_point, settings_of

PRINTED_EXPONENT = -0.15
"""Exponent of the power law that the paper prints."""


def job(context: Context, settings: ScanSettings | None = None) -> Job[Result]:
    """Train and score the units of figure 5 that differ in the layers' side and number, or read them."""
    chosen = settings_of(context, settings)
    scorers = ImageScorers.of(context)
    points = dict.fromkeys(chosen.points("side") + chosen.points("layers"))
    yield JobStarted(context.name, len(points))
    rows = []
    for point in points:
        rows.append((yield from scored_point(context, chosen, point, scorers)))
    rows.sort(key=lambda row: number(row["parameters"]))
    fits = power_laws(rows, scorers.distance)
    return Result(picture(rows, fits, scorers), rows, sentence(rows, fits, scorers))


def power_laws(rows: list[Row], column: str) -> dict[str, PowerLaw]:
    """Fit power laws to a column of the rows, with and without the single layer."""
    several = [row for row in rows if row["layers"] != 1]
    return {"without the single layer": _fit(several, column), "with it": _fit(rows, column)}


def _fit(rows: list[Row], column: str) -> PowerLaw:
    return fit_power_law(
        [number(row["parameters"]) for row in rows], [number(row[column]) for row in rows]
    )


def picture(rows: list[Row], fits: dict[str, PowerLaw], scorers: ImageScorers) -> Figure:
    """Draw the distance on logarithmic axes with 95 % intervals, the single layer in red.

    Args:
        rows: the units.
        fits: power laws by name.
        scorers: of the images.
    """
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    ax = figure.subplots()
    for alone, colour, label in (
        (False, "C0", "two layers and more"),
        (True, "C3", "single layer"),
    ):
        group = [row for row in rows if (row["layers"] == 1) == alone]
        y = [number(row[scorers.distance]) for row in group]
        low = [
            max(v - number(r[f"{scorers.distance}_low"]), 0.0)
            for v, r in zip(y, group, strict=True)
        ]
        high = [
            max(number(r[f"{scorers.distance}_high"]) - v, 0.0)
            for v, r in zip(y, group, strict=True)
        ]
        x = [number(row["parameters"]) for row in group]
        ax.errorbar(x, y, [low, high], fmt="o", color=colour, capsize=2, label=label)
        for where_x, where_y, row in zip(x, y, group, strict=True):
            label_text = f"{row['layers']} x {row['side']}²"
            ax.annotate(
                label_text,
                (where_x, where_y),
                (5, 4),
                textcoords="offset points",
                fontsize=8,
                bbox={"boxstyle": "round,pad=0.1", "color": "white", "alpha": 0.8},
            )
    ends = [number(rows[0]["parameters"]), number(rows[-1]["parameters"])]
    for (name, law), line in zip(fits.items(), ("k-", "k:"), strict=True):
        label = f"{name}: exponent {law.exponent:.2f} ({law.low:.2f} ... {law.high:.2f})"
        ax.plot(ends, [law(x) for x in ends], line, lw=1, label=label)
    ax.set(xscale="log", yscale="log", xlabel="trained phases, M x N x side²")
    ax.margins(x=0.12)  # room for the last point's label
    ax.set_ylabel(scorers.distance_name)
    ax.grid(alpha=0.3, which="both")
    plain_logarithmic(ax.yaxis)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def sentence(rows: list[Row], fits: dict[str, PowerLaw], scorers: ImageScorers) -> str:
    """Compare our exponents with the paper's, and state whether the single layer is an outlier.

    Args:
        rows: the units.
        fits: power laws by name.
        scorers: of the images.
    """
    law = fits["without the single layer"]
    exponents = [
        f"{law.exponent:.3f} ({law.low:.3f} ... {law.high:.3f}) {name}"
        for name, law in fits.items()
    ]
    text = (
        f"{scorers.distance_name} goes as the number of phases to the power of {', '.join(exponents)}; "
        f"95 % by bootstrap over {len(rows)} points; paper {PRINTED_EXPONENT}."
    )
    for row in rows:
        if row["layers"] == 1:
            ratio = number(row[scorers.distance]) / law(number(row["parameters"]))
            verdict = "the outlier, as in the paper" if ratio > 1.2 else "no outlier here"
            text += f" The single layer lies at {ratio:.2f} x the law of the others: {verdict}."
    return f"{text} {rows[0]['count']} images on each side; each unit has the same training steps."
