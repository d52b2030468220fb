"""Figure 6: FID against the number of trained parameters, a power law, and the single layer beside it."""

from __future__ import annotations

from matplotlib.figure import Figure

from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import plain_logarithmic
from labdiff.reproduce.image_scores import Judges
from labdiff.reproduce.power_law import PowerLaw, fit_power_law
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.scan import Settings, scored_point, settings_of

PRINTED_EXPONENT = -0.15


def job(context: Context, settings: Settings | None = None) -> Job[Result]:
    """The units of figure 5 that differ in layers' side and number, found there if they are kept."""
    chosen = settings_of(context, settings)
    judges = Judges.of(context)
    points = dict.fromkeys(chosen.points("side") + chosen.points("layers"))
    yield JobStarted(context.name, len(points))
    rows = []
    for point in points:
        rows.append((yield from scored_point(context, chosen, point, judges)))
    rows.sort(key=lambda row: number(row["parameters"]))
    fits = power_laws(rows, judges.best)
    return Result(picture(rows, fits, judges), rows, sentence(rows, fits, judges))


def power_laws(rows: list[Row], column: str) -> dict[str, PowerLaw]:
    """The laws of a score, column of the rows, with the single layer and without it."""
    several = [row for row in rows if row["layers"] != 1]
    return {"without the single layer": _fit(several, column), "with it": _fit(rows, column)}


def _fit(rows: list[Row], column: str) -> PowerLaw:
    return fit_power_law(
        [number(row["parameters"]) for row in rows], [number(row[column]) for row in rows]
    )


def picture(rows: list[Row], fits: dict[str, PowerLaw], judges: Judges) -> Figure:
    """On logarithmic axes, with 95 % intervals; the single layer in red."""
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    ax = figure.subplots()
    for alone, colour, label in (
        (False, "C0", "two layers and more"),
        (True, "C3", "single layer"),
    ):
        mine = [row for row in rows if (row["layers"] == 1) == alone]
        y = [number(row[judges.best]) for row in mine]
        low = [max(v - number(r[f"{judges.best}_low"]), 0.0) for v, r in zip(y, mine, strict=True)]
        high = [
            max(number(r[f"{judges.best}_high"]) - v, 0.0) for v, r in zip(y, mine, strict=True)
        ]
        x = [number(row["parameters"]) for row in mine]
        ax.errorbar(x, y, [low, high], fmt="o", color=colour, capsize=2, label=label)
        for where_x, where_y, row in zip(x, y, mine, strict=True):
            words = f"{row['layers']} x {row['side']}²"
            ax.annotate(
                words,
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
    ax.margins(x=0.12)  # room for the last point's words
    ax.set_ylabel(judges.best_words)
    ax.grid(alpha=0.3, which="both")
    plain_logarithmic(ax.yaxis)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def sentence(rows: list[Row], fits: dict[str, PowerLaw], judges: Judges) -> str:
    """Our exponents beside the paper's, and whether the single layer stands out."""
    law = fits["without the single layer"]
    told = [
        f"{law.exponent:.3f} ({law.low:.3f} ... {law.high:.3f}) {name}"
        for name, law in fits.items()
    ]
    words = (
        f"{judges.best_words} goes as the number of phases to the power of {', '.join(told)}; 95 % by "
        f"bootstrap over {len(rows)} points; paper {PRINTED_EXPONENT}."
    )
    for row in rows:
        if row["layers"] == 1:
            ratio = number(row[judges.best]) / law(number(row["parameters"]))
            verdict = "the outlier, as in the paper" if ratio > 1.2 else "no outlier here"
            words += f" The single layer lies at {ratio:.2f} x the law of the others: {verdict}."
    return f"{words} {rows[0]['count']} images on each side; each unit has the same training steps."
