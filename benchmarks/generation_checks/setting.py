"""What all parts share: data sets, where trained units lie, how long they are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from labdiff.config import TrainingOptions
from labdiff.events import Event
from labdiff.generate import generate
from labdiff.learning.twin_training import TwinTraining
from labdiff.progress import ProgressBar
from labdiff.reader import read_run
from labdiff.reproduce.recipes import Recipe, small, small_bench
from labdiff.runner import Job, run
from labdiff.session import Session

T = TypeVar("T")
QUICK_STEPS = 60


@dataclass(frozen=True, slots=True)
class Setting:
    """kept: folder of run files; a training that is there already is not repeated, only gone on with.

    quick: embedded digits and tiny trainings, so that the figures say that it runs and nothing more.
    """

    kept: Path
    quick: bool
    quiet: bool
    seed: int = 0

    @property
    def data_sets(self) -> tuple[str, ...]:
        """The selections that are measured."""
        return ("digits",) if self.quick else ("mnist-0-2", "fashion-0-2")

    def options(self, data: str, recipe: Recipe) -> TrainingOptions:
        """The small scale, or next to nothing."""
        changes = {"offline_steps": QUICK_STEPS, "image_size": 10} if self.quick else {}
        return small(data, recipe, self.seed, **changes)

    def path(self, data: str, recipe: Recipe) -> Path:
        """The run file of a unit."""
        return self.kept / f"{data}-{recipe}-{self.seed}.h5"

    def trained(self, data: str, recipe: Recipe) -> Session:
        """A unit trained on the ideal twin, from its file or anew."""
        path = self.path(data, recipe)
        training = TwinTraining(path, small_bench(), self.options(data, recipe))
        return self.do(training.job())

    def training_s(self, data: str, recipe: Recipe) -> float:
        """How long the training took, pauses of over a minute left out."""
        times = read_run(self.path(data, recipe)).columns["training"]["time_s"]
        gaps = np.diff(times)
        return float(gaps[gaps < 60.0].sum())

    def generated(self, session: Session, data: str, recipe: Recipe, count: int) -> Tensor:
        """Images of a unit on its twin; kept beside its run file."""
        path = self.kept / f"{data}-{recipe}-{self.seed}-{count}.npy"
        if path.is_file():
            return torch.from_numpy(np.load(path, allow_pickle=False))
        images = self.do(generate(session, count, "twin", self.seed))
        np.save(path, images.numpy())
        return images

    def do(self, job: Job[T], record: Callable[[Event], None] | None = None) -> T:
        """Drive a job, with a progress bar unless quiet."""
        with ProgressBar(self.quiet) as progress:
            return run(job, record=[record] if record else [], watch=[progress])
