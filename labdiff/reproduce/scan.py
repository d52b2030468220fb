"""Units of figures 5 and 6: they differ in one hyperparameter and are trained with one budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from labdiff.config.bench import bench_text
from labdiff.job import Job
from labdiff.reproduce import recipes
from labdiff.reproduce.bench_sizes import paper_bench, resized_bench
from labdiff.reproduce.context import Context
from labdiff.reproduce.image_scores import ImageScorers
from labdiff.reproduce.recipes import Recipe
from labdiff.reproduce.result import Row
from labdiff.reproduce.trained_units import (
    Unit,
    held_out_error,
    images_along_t,
    standard_options,
    trained_unit,
)


@dataclass(frozen=True, slots=True)
class Point:
    """Hyperparameters of a unit: side of its layers in pixels, number N of layers, layer sets M."""

    side: int
    layers: int
    layer_sets: int


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """ScanSettings of a scan.

    Attributes:
        data: the data set.
        recipe: how units are trained.
        base: the hyperparameters of all units, except the one that is varied.
        sides: values of the layers' side.
        layers: values of N.
        layer_sets: values of M.
        budget: number of training steps of all layer sets together.
        count: number of generated images.
        options: training options that replace the recipe's.
    """

    data: str = "mnist-0-2"
    recipe: Recipe = "passive"
    base: Point = Point(100, 4, 5)
    sides: tuple[int, ...] = (40, 60, 80, 100)
    layers: tuple[int, ...] = (1, 2, 3, 4)
    layer_sets: tuple[int, ...] = (1, 2, 5, 10)
    budget: int = 2500
    count: int = 500
    options: Mapping[str, object] = field(default_factory=dict)

    def points(self, hyperparameter: str) -> list[Point]:
        """Return the units of one panel: "side", "layers" or "layer_sets"."""
        values = {"side": self.sides, "layers": self.layers, "layer_sets": self.layer_sets}
        return [replace(self.base, **{hyperparameter: value}) for value in values[hyperparameter]]


PAPER_SETTINGS = ScanSettings(
    recipe="paper",
    base=Point(300, 4, 10),
    sides=(100, 160, 200, 260, 300),
    layers=(1, 2, 3, 4, 5),
    layer_sets=(1, 2, 5, 10, 20),
    budget=10 * recipes.PAPER_STEPS,
    count=5000,
)


def settings_of(context: Context, settings: ScanSettings | None) -> ScanSettings:
    """Return the settings that are given, else those of the scale."""
    return settings or context.choose(ScanSettings(), PAPER_SETTINGS)


def scored_point(
    context: Context, settings: ScanSettings, point: Point, scorers: ImageScorers
) -> Job[Row]:
    """Train a unit, or read it, and score its errors and images.

    Args:
        context: of the reproduction.
        settings: of the scan.
        point: the unit's hyperparameters.
        scorers: of the generated images.
    """
    base = context.choose(bench_text("mock")[1], paper_bench())
    bench = resized_bench(base, (point.side, point.side), point.layers)
    changes = {
        "layer_sets": point.layer_sets,
        "timestep_edges": (),
        "offline_steps": max(settings.budget // point.layer_sets, 1),
        "further_steps": 1.0,
        **settings.options,
    }
    options = standard_options(context, settings.data, settings.recipe, **changes)
    unit: Unit = yield from trained_unit(context, bench, options)
    row: Row = {
        "side": point.side,
        "layers": point.layers,
        "layer_sets": point.layer_sets,
        "parameters": unit.parameters,
        "steps": options.offline_steps * point.layer_sets,
    }
    row |= yield from held_out_error(unit)
    along = yield from images_along_t(unit, settings.count, 1)
    scores = yield from scorers.scores(unit, along)
    return row | scores[-1]
