"""Figure 3: images, FID and Inception score along the reverse process, for the paper's three data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import bare, even, mosaic, plain_logarithmic, show_image
from labdiff.reproduce.image_scores import Judges
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
"""Inception FID at t = 0 as the paper prints it (section 4.1)."""
NAMES: dict[Recipe, str] = {"ours": "labdiff", "passive": "labdiff, passive", "paper": "paper's"}
SHOWN_MOMENTS = 7
LINES = {"ours": "-", "passive": "-.", "paper": "--"}


@dataclass(frozen=True, slots=True)
class Settings:
    """count: images generated. points: moments at which they are scored, and at how many of them, the last
    ones, by Inception. options: training options instead of the scale's.
    """

    data: tuple[str, ...] = ("mnist-0-2", "fashion-0-2", "clock-20000")
    recipes: tuple[Recipe, ...] = ("ours", "paper")
    count: int = 500
    points: int = 13
    inception_points: int = 3
    options: Mapping[str, Any] = field(default_factory=lambda: {"offline_steps": 1500})


PAPER_SETTINGS = Settings(count=5000, points=21, inception_points=21, options={})


@dataclass(frozen=True, slots=True)
class Course:
    """What one recipe made of one data set; sizes: the unit's, in words."""

    data: str
    recipe: Recipe
    along: ImagesAlongT
    scores: list[Row]
    real: Tensor
    sizes: str


def job(context: Context, settings: Settings | None = None) -> Job[Result]:
    """Train, generate and score; every unit is kept."""
    chosen = settings or context.choose(Settings(), PAPER_SETTINGS)
    judges = Judges.of(context)
    yield JobStarted(context.name, len(chosen.data) * len(chosen.recipes))
    courses = []
    for data in chosen.data:
        for recipe in chosen.recipes:
            options = standard_options(context, data, recipe, **chosen.options)
            unit = yield from trained_unit(context, standard_bench(context), options)
            along = yield from images_along_t(unit, chosen.count, chosen.points)
            scores = yield from judges.scores(unit, along, chosen.inception_points)
            real = unit.session.images.test[:6]
            courses.append(Course(data, recipe, along, scores, real, unit.sizes))
    rows: list[Row] = [
        {"data": course.data, "recipe": course.recipe, **row}
        for course in courses
        for row in course.scores
    ]
    return Result(picture(courses, judges), rows, sentence(courses, judges))


def picture(courses: list[Course], judges: Judges) -> Figure:
    """Above, a row of images for each data set and recipe, real ones at its end; below, the scores."""
    figure = Figure(figsize=(11.0, 1.05 * len(courses) + 3.6), layout="constrained")
    halves = figure.add_gridspec(2, 1, height_ratios=(1.05 * len(courses), 3.4))
    above, below = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    moments = even(len(courses[0].along.t), SHOWN_MOMENTS)
    grid = above.subplots(len(courses), len(moments) + 1, squeeze=False)
    for line, course in zip(grid, courses, strict=True):
        for ax, moment in zip(line, moments, strict=False):
            show_image(ax, mosaic(course.along.images[moment], 2, 3))
            if course is courses[0]:
                ax.set_title(f"t = {course.along.t[moment]}", fontsize=9)
        show_image(line[-1], mosaic(course.real, 2, 3))
        name = f"{course.data}\n{NAMES[course.recipe]}"
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    grid[0][-1].set_title("real", fontsize=9)
    panels = {"classifier_fid": "classifier-FID", "classifier_is": "classifier-IS"}
    if judges.inception is not None:
        panels = {"fid": "Inception FID"} | panels
    axes = below.subplots(1, len(panels), squeeze=False)[0]
    for ax, (column, name) in zip(axes, panels.items(), strict=True):
        _curves(ax, courses, column)
        ax.set(xlabel="noise steps left t", ylabel=name)
        ax.invert_xaxis()
        ax.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    return figure


def _curves(ax: Axes, courses: list[Course], column: str) -> None:
    data = list(dict.fromkeys(course.data for course in courses))
    drawn = False
    for course in courses:
        known = [row for row in course.scores if row.get(column) is not None]
        if known:
            drawn = True
            ax.plot(
                [number(row["t"]) for row in known],
                [number(row[column]) for row in known],
                LINES[course.recipe],
                marker="o",
                ms=3,
                color=f"C{data.index(course.data)}",
                label=f"{course.data}, {NAMES[course.recipe]}",
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
        bare(ax)


def sentence(courses: list[Course], judges: Judges) -> str:
    """FID at t = 0 beside the paper's, and whether it fell along the way."""
    words = []
    for course in courses:
        first, last = course.scores[0], course.scores[-1]
        fid = number(last[judges.best])
        printed = PRINTED_FID.get(course.data)
        beside = f" (paper {printed})" if printed else ""
        a, b = number(first["classifier_fid"]), number(last["classifier_fid"])
        part = (
            f"{course.data}, {NAMES[course.recipe]} recipe: {judges.best_words} {fid:.4g}{beside}, "
            f"real against real {number(last[f'{judges.best}_real']):.3g}; classifier-FID {a:.3g} at "
            f"t = {first['t']}, {b:.3g} at t = 0"
        )
        if last.get("classifier_is") is not None:
            part += (
                f", classifier-IS {number(first['classifier_is']):.2f} to "
                f"{number(last['classifier_is']):.2f}"
            )
        words.append(part)
    count = courses[0].scores[-1]["count"]
    unlike = (
        " A classifier-FID is no Inception FID: it compares with itself alone."
        if judges.inception is None
        else ""
    )
    return (
        f"{'; '.join(words)}. On the twin, {courses[0].sizes}, {count} images on each side; the "
        f"paper does not say its count, and an FID over fewer images is higher.{unlike}"
    )
