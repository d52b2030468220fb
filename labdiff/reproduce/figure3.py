"""Figure 3: images, FID and Inception score along the reverse process, for the paper's three data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import even_indices, hide_axes, mosaic, plain_logarithmic, show_image
from labdiff.reproduce.image_scores import ImageScorers
from labdiff.reproduce.recipes import Recipe
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.trained_units import (
    ImagesAlongT,
    images_along_t,
    standard_bench,
    standard_options,
    trained_unit,
)

PRINTED_FID = {"mnist-0-2": 206.6, "fashion-0-2": 227.7, "clock-20000": 131.4}
"""Inception FID at t = 0 that the paper prints (section 4.1)."""
NAMES: dict[Recipe, str] = {"ours": "labdiff", "passive": "labdiff, passive", "paper": "paper's"}
"""Names of the recipes in the figure."""
SHOWN_MOMENTS = 7
"""Number of moments at which images are shown."""
LINES = {"ours": "-", "passive": "-.", "paper": "--"}
"""Line styles of the recipes."""


@dataclass(frozen=True, slots=True)
class Figure3Settings:
    """Figure3Settings of figure 3.

    Attributes:
        data: the data sets.
        recipes: how units are trained.
        count: number of generated images.
        points: number of moments at which images are scored.
        inception_points: number of these, the last ones, that Inception scores.
        options: training options that replace the scale's.
    """

    data: tuple[str, ...] = ("mnist-0-2", "fashion-0-2", "clock-20000")
    recipes: tuple[Recipe, ...] = ("ours", "paper")
    count: int = 500
    points: int = 13
    inception_points: int = 3
    options: Mapping[str, object] = field(default_factory=lambda: {"offline_steps": 1500})


PAPER_SETTINGS = Figure3Settings(count=5000, points=21, inception_points=21, options={})


@dataclass(frozen=True, slots=True)
class Generation:
    """The images that one recipe generates for one data set. sizes: description of the unit."""

    data: str
    recipe: Recipe
    along: ImagesAlongT
    scores: list[Row]
    real: Tensor
    sizes: str


def job(context: Context, settings: Figure3Settings | None = None) -> Job[Result]:
    """Train, generate and score for every data set and recipe; every unit is stored."""
    chosen = settings or context.choose(Figure3Settings(), PAPER_SETTINGS)
    scorers = ImageScorers.of(context)
    yield JobStarted(context.name, len(chosen.data) * len(chosen.recipes))
    generations = []
    for data in chosen.data:
        for recipe in chosen.recipes:
            options = standard_options(context, data, recipe, **chosen.options)
            unit = yield from trained_unit(context, standard_bench(context), options)
            along = yield from images_along_t(unit, chosen.count, chosen.points)
            scores = yield from scorers.scores(unit, along, chosen.inception_points)
            real = unit.session.images.test[:6]
            generations.append(Generation(data, recipe, along, scores, real, unit.sizes))
    rows: list[Row] = [
        {"data": generation.data, "recipe": generation.recipe, **row}
        for generation in generations
        for row in generation.scores
    ]
    return Result(picture(generations, scorers), rows, sentence(generations, scorers))


def picture(generations: list[Generation], scorers: ImageScorers) -> Figure:
    """Draw a row of images for each data set and recipe, real ones at its end; below, the scores."""
    figure = Figure(figsize=(11.0, 1.05 * len(generations) + 3.6), layout="constrained")
    halves = figure.add_gridspec(2, 1, height_ratios=(1.05 * len(generations), 3.4))
    above, below = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    moments = even_indices(len(generations[0].along.t), SHOWN_MOMENTS)
    grid = above.subplots(len(generations), len(moments) + 1, squeeze=False)
    for line, generation in zip(grid, generations, strict=True):
        for ax, moment in zip(line, moments, strict=False):
            show_image(ax, mosaic(generation.along.images[moment], 2, 3))
            if generation is generations[0]:
                ax.set_title(f"t = {generation.along.t[moment]}", fontsize=9)
        show_image(line[-1], mosaic(generation.real, 2, 3))
        name = f"{generation.data}\n{NAMES[generation.recipe]}"
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    grid[0][-1].set_title("real", fontsize=9)
    panels = {"classifier_fid": "classifier-FID", "classifier_is": "classifier-IS"}
    if scorers.inception is not None:
        panels = {"fid": "Inception FID"} | panels
    axes = below.subplots(1, len(panels), squeeze=False)[0]
    for ax, (column, name) in zip(axes, panels.items(), strict=True):
        _curves(ax, generations, column)
        ax.set(xlabel="noise steps left t", ylabel=name)
        ax.invert_xaxis()
        ax.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    return figure


def _curves(ax: Axes, generations: list[Generation], column: str) -> None:
    data = list(dict.fromkeys(generation.data for generation in generations))
    drawn = False
    for generation in generations:
        known = [row for row in generation.scores if row.get(column) is not None]
        if known:
            drawn = True
            ax.plot(
                [number(row["t"]) for row in known],
                [number(row[column]) for row in known],
                LINES[generation.recipe],
                marker="o",
                ms=3,
                color=f"C{data.index(generation.data)}",
                label=f"{generation.data}, {NAMES[generation.recipe]}",
            )
    if column == "fid":
        for name, printed in PRINTED_FID.items():
            if name in data:
                ax.plot([0], [printed], "x", ms=8, color=f"C{data.index(name)}")
    if drawn and column.endswith("fid"):
        ax.set_yscale("log")
        plain_logarithmic(ax.yaxis)
    if not drawn:
        ax.text(0.5, 0.5, "one class: no score", ha="center", transform=ax.transAxes)
        hide_axes(ax)


def sentence(generations: list[Generation], scorers: ImageScorers) -> str:
    """Compare the FID at t = 0 with the paper's, and state whether it fell along the process."""
    parts = []
    for generation in generations:
        first, last = generation.scores[0], generation.scores[-1]
        fid = number(last[scorers.distance])
        printed = PRINTED_FID.get(generation.data)
        beside = f" (paper {printed})" if printed else ""
        a, b = number(first["classifier_fid"]), number(last["classifier_fid"])
        part = (
            f"{generation.data}, {NAMES[generation.recipe]} recipe: {scorers.distance_name} "
            f"{fid:.4g}{beside}, real against real "
            f"{number(last[f'{scorers.distance}_real']):.3g}; classifier-FID {a:.3g} "
            f"at t = {first['t']}, {b:.3g} at t = 0"
        )
        if last.get("classifier_is") is not None:
            part += (
                f", classifier-IS {number(first['classifier_is']):.2f} to "
                f"{number(last['classifier_is']):.2f}"
            )
        parts.append(part)
    count = generations[0].scores[-1]["count"]
    note = (
        " A classifier-FID is no Inception FID: it compares with itself alone."
        if scorers.inception is None
        else ""
    )
    return (
        f"{'; '.join(parts)}. On the twin, {generations[0].sizes}, {count} images on each side; the "
        f"paper does not say its count, and an FID over fewer images is higher.{note}"
    )
