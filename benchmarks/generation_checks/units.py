"""Units that all parts share: on which data, trained once, how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from torch import Tensor

from benchmarks.calibrated import bench_file
from benchmarks.parts import Scale, Setting
from labdiff.config.training import TrainingOptions
from labdiff.events import Event
from labdiff.job import Job, run
from labdiff.reports.progress_bar import ProgressBar
from labdiff.reproduce.context import Context
from labdiff.reproduce.recipes import Recipe, small
from labdiff.reproduce.trained_units import Unit, images_along_t, trained_unit
from labdiff.runs.reader import read_run

T = TypeVar("T")
LONGEST_PAUSE_S = 60.0
"""Two steps of a training are so far apart at most; a longer pause was of a training that was cut."""


@dataclass(frozen=True, slots=True)
class Units:
    """Trained units, and how much of them is measured.

    folder: of units and results, as `labdiff reproduce` has them; what is there is not repeated.
    setting: below the full scale embedded digits, a small bench and tiny trainings, so that the figures
    say that it runs and nothing more.
    """

    folder: Path
    setting: Setting
    seed: int = 0

    @property
    def context(self) -> Context:
        """The context of results of `labdiff.reproduce`."""
        return Context("generation", self.folder, seed=self.seed)

    @property
    def data_sets(self) -> tuple[str, ...]:
        """The selections that are measured."""
        embedded, full = ("digits",), ("mnist-0-2", "fashion-0-2")
        return self.setting.amount("data sets", smoke=embedded, quick=embedded, full=full)

    @property
    def bench(self) -> str:
        """The bench file of all units; below the full scale one that can be calibrated in seconds."""
        return bench_file(self.setting)

    def options(self, data: str, recipe: Recipe) -> TrainingOptions:
        """Return the training options of a recipe: the small scale's, or next to nothing."""
        steps = self.setting.amount("steps of a training", smoke=1, quick=20, full=6_000)
        changes: dict[str, object] = {"offline_steps": steps}
        if self.setting.scale is not Scale.FULL:
            changes |= {"image_size": 5, "sampler_steps": 3, "timestep_edges": (), "layer_sets": 2}
            if recipe == "clusters":
                changes["clusters"] = 3
        return small(data, recipe, self.seed, **changes)

    def trained(self, data: str, recipe: Recipe) -> Unit:
        """Return a unit trained on the ideal twin, from its file or anew."""
        return self.do(trained_unit(self.context, self.bench, self.options(data, recipe)))

    def generated(self, unit: Unit, count: int) -> Tensor:
        """Return images (count, H, W) of a unit on its twin; they are stored beside its run file."""
        return self.do(images_along_t(unit, count, 1)).images[-1]

    def do(self, job: Job[T], record: Callable[[Event], None] | None = None) -> T:
        """Drive a job, with a progress bar unless quiet."""
        with ProgressBar(self.setting.quiet) as progress:
            return run(job, record=[record] if record else [], watch=[progress])


def training_s(unit: Unit) -> float:
    """Return the seconds that a training took, on the clock of the wall."""
    gaps = np.diff(read_run(unit.run_file).columns["training"]["time_s"])
    return float(gaps[gaps < LONGEST_PAUSE_S].sum())
