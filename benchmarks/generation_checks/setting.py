"""What all parts share: data sets, units that are trained once, how long they are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from torch import Tensor

from labdiff.config.training import TrainingOptions
from labdiff.events import Event
from labdiff.job import Job, run
from labdiff.reports.progress_bar import ProgressBar
from labdiff.reproduce.context import Context
from labdiff.reproduce.recipes import Recipe, small, small_bench
from labdiff.reproduce.trained_units import Unit, images_along_t, trained_unit
from labdiff.runs.reader import read_run

T = TypeVar("T")
QUICK_STEPS = 60
LONGEST_PAUSE_S = 60.0
"""Between two steps of a training; a longer one was a training that lay still."""


@dataclass(frozen=True, slots=True)
class Setting:
    """kept: folder of units and results, as `labdiff reproduce` has them; what is there is not repeated.

    quick: embedded digits and tiny trainings, so that the figures say that it runs and nothing more.
    """

    kept: Path
    quick: bool
    quiet: bool
    seed: int = 0

    @property
    def context(self) -> Context:
        """For the results of `labdiff.reproduce`."""
        return Context("generation", self.kept, seed=self.seed)

    @property
    def data_sets(self) -> tuple[str, ...]:
        """The selections that are measured."""
        return ("digits",) if self.quick else ("mnist-0-2", "fashion-0-2")

    def options(self, data: str, recipe: Recipe) -> TrainingOptions:
        """The small scale, or next to nothing."""
        changes = {"offline_steps": QUICK_STEPS, "image_size": 10} if self.quick else {}
        return small(data, recipe, self.seed, **changes)

    def trained(self, data: str, recipe: Recipe) -> Unit:
        """A unit trained on the ideal twin, from its file or anew."""
        return self.do(trained_unit(self.context, small_bench(), self.options(data, recipe)))

    def generated(self, unit: Unit, count: int) -> Tensor:
        """Images (count, H, W) of a unit on its twin; kept beside its run file."""
        return self.do(images_along_t(unit, count, 1)).images[-1]

    def do(self, job: Job[T], record: Callable[[Event], None] | None = None) -> T:
        """Drive a job, with a progress bar unless quiet."""
        with ProgressBar(self.quiet) as progress:
            return run(job, record=[record] if record else [], watch=[progress])


def training_s(unit: Unit) -> float:
    """How long the training took, on the clock of the wall."""
    gaps = np.diff(read_run(unit.run_file).columns["training"]["time_s"])
    return float(gaps[gaps < LONGEST_PAUSE_S].sum())
