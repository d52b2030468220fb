"""Figure 4: how the error grows with the output's resolution, at a fixed size of the unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import plain_logarithmic
from labdiff.reproduce.recipes import Recipe
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.trained_units import (
    held_out_error,
    standard_bench,
    standard_options,
    trained_unit,
)

LABELS = {"noise_mse": "ODU", "mse_wiener": "Wiener", "mse_identity": "identity"}
"""Labels of the errors, by column."""


@dataclass(frozen=True, slots=True)
class Figure4Settings:
    """Figure4Settings of figure 4.

    Attributes:
        data: the data set.
        recipe: how units are trained.
        sizes: sides of the images; each divides the layers' side.
        options: training options that replace the scale's.
    """

    data: str = "afhq-cat"
    recipe: Recipe = "passive"
    sizes: tuple[int, ...] = (10, 20, 25, 50)
    options: Mapping[str, object] = field(default_factory=lambda: {"offline_steps": 800})


PAPER_SETTINGS = Figure4Settings(recipe="paper", sizes=(10, 20, 30, 50, 60), options={})


def job(context: Context, settings: Figure4Settings | None = None) -> Job[Result]:
    """Train one unit for each size, all with the same layers and number of training steps."""
    chosen = settings or context.choose(Figure4Settings(), PAPER_SETTINGS)
    yield JobStarted(context.name, len(chosen.sizes))
    rows: list[Row] = []
    for size in chosen.sizes:
        changes = {**chosen.options, "image_size": size}
        options = standard_options(context, chosen.data, chosen.recipe, **changes)
        unit = yield from trained_unit(context, standard_bench(context), options)
        row: Row = {"image_size": size, "pixels": size * size, "parameters": unit.parameters}
        rows.append(row | (yield from held_out_error(unit)))
    return Result(picture(rows, chosen), rows, sentence(rows, chosen))


def picture(rows: list[Row], settings: Figure4Settings) -> Figure:
    """Draw the error against the resolution, on logarithmic axes."""
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    ax = figure.subplots()
    sizes = [number(row["image_size"]) for row in rows]
    for (column, label), line in zip(LABELS.items(), ("o-", "s--", "^:"), strict=True):
        ax.plot(sizes, [number(row[column]) for row in rows], line, label=label)
    ax.set(xscale="log", yscale="log", ylabel="noise MSE, t from 100 on")
    ax.set_xlabel(f"side of the images, pixels ({settings.data})")
    ax.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
    ax.xaxis.minorticks_off()
    plain_logarithmic(ax.yaxis)
    ax.grid(alpha=0.3)
    ax.legend(title=f"{number(rows[0]['parameters']):,.0f} phases at every size")
    return figure


def sentence(rows: list[Row], settings: Figure4Settings) -> str:
    """Report the error at each size."""
    errors = [
        f"{row['image_size']} x {row['image_size']} {number(row['noise_mse']):.3g} "
        f"(Wiener {number(row['mse_wiener']):.3g}, identity {number(row['mse_identity']):.3g})"
        for row in rows
    ]
    return (
        f"Noise MSE of the ODU with {number(rows[0]['parameters']):,.0f} phases, {settings.data}, by the "
        f"side of the images: {'; '.join(errors)}. The paper scales the output at a fixed size of the "
        "model too, and prints a curve but no number; ours has data and budget of its own, and the "
        "same training steps at every size. Images larger than their source are interpolated, and then "
        "smoother than real ones."
    )
