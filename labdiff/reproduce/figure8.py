"""Figure 8: cats at 40 x 40 along the reverse process, beside real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from matplotlib.figure import Figure
from torch import Tensor

from labdiff.config.bench import bench_text
from labdiff.events import JobStarted
from labdiff.job import Job
from labdiff.reproduce.bench_sizes import resized_bench
from labdiff.reproduce.context import Context
from labdiff.reproduce.drawing import even_indices, mosaic, show_image
from labdiff.reproduce.image_scores import ImageScorers
from labdiff.reproduce.recipes import Recipe
from labdiff.reproduce.result import Result, Row, number
from labdiff.reproduce.trained_units import (
    ImagesAlongT,
    held_out_error,
    images_along_t,
    standard_options,
    trained_unit,
)

ROWS, MOMENTS = 4, 7
"""Number of images shown, and of moments at which they are shown."""
SHOWN_REAL = 2
"""Number of columns of real images."""


@dataclass(frozen=True, slots=True)
class Figure8Settings:
    """Figure8Settings of figure 8.

    Attributes:
        data: the data set.
        recipe: how the unit is trained.
        side: side of a layer, pixels; the images' side divides it.
        image_size: side of the images.
        count: number of generated images.
        options: training options that replace the scale's.
    """

    data: str = "cat-40"
    recipe: Recipe = "ours"
    side: int = 120
    image_size: int = 40
    count: int = 200
    options: Mapping[str, object] = field(default_factory=lambda: {"offline_steps": 2000})


PAPER_SETTINGS = Figure8Settings(side=320, count=1000, options={})


def job(context: Context, settings: Figure8Settings | None = None) -> Job[Result]:
    """Train one unit, generate images and score them."""
    chosen = settings or context.choose(Figure8Settings(), PAPER_SETTINGS)
    scorers = ImageScorers.of(context)
    yield JobStarted(context.name, 1)
    base = bench_text(context.choose("mock", "mock-paper"))[1]
    bench = resized_bench(base, (chosen.side, chosen.side), 4)
    changes = {**chosen.options, "image_size": chosen.image_size}
    options = standard_options(context, chosen.data, chosen.recipe, **changes)
    unit = yield from trained_unit(context, bench, options)
    error = yield from held_out_error(unit)
    along = yield from images_along_t(unit, chosen.count, MOMENTS)
    rows = yield from scorers.scores(unit, along)
    rows = [{"data": chosen.data, "recipe": chosen.recipe, **row} for row in rows]
    images = unit.session.images
    text = sentence(rows[-1] | error, chosen, scorers, images.source)
    return Result(picture(along, images.test), rows, text)


def picture(along: ImagesAlongT, real: Tensor) -> Figure:
    """Draw each image in a row, from noise to the result, with real ones at the right."""
    moments = even_indices(len(along.t), MOMENTS)
    figure = Figure(figsize=(1.25 * (len(moments) + SHOWN_REAL), 5.4), layout="constrained")
    ratios = [1.0] * len(moments) + [float(SHOWN_REAL)]
    axes = figure.subplots(1, len(moments) + 1, width_ratios=ratios, squeeze=False)[0]
    for ax, moment in zip(axes, moments, strict=False):
        show_image(ax, mosaic(along.images[moment], ROWS, 1))
        ax.set_title(f"t = {along.t[moment]}", fontsize=10)
    show_image(axes[-1], mosaic(real, ROWS, SHOWN_REAL))
    axes[-1].set_title("real, held out", fontsize=10)
    return figure


def sentence(last: Row, settings: Figure8Settings, scorers: ImageScorers, source: str) -> str:
    """Report what was generated, and its distance from real images.

    Args:
        last: the row of the last moment, with the unit's errors.
        settings: of the figure.
        scorers: of the images.
        source: description of the data.
    """
    return (
        f"{last['count']} images of {settings.image_size} x {settings.image_size} from {source}, by four "
        f"layers of {settings.side} x {settings.side}, recipe {settings.recipe!r}, on the twin: "
        f"{scorers.distance_name} {number(last[scorers.distance]):.4g}, real against real "
        f"{number(last[f'{scorers.distance}_real']):.3g}; noise MSE {number(last['noise_mse']):.3g} "
        f"(Wiener {number(last['mse_wiener']):.3g}, identity {number(last['mse_identity']):.3g}). The "
        "paper shows AFHQ cats at 40 x 40 and prints no number for them."
    )
