"""The training session: a denoiser in training, with its images and where its job is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from labdiff.bench.snapshot import BenchSnapshot
from labdiff.config.training import TrainingOptions
from labdiff.data.image_set import ImageSet, load_images
from labdiff.errors import UserError
from labdiff.metrics.range_baselines import RangeBaseline
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.class_prompts import prompts_of
from labdiff.session.data_record import DataRecord
from labdiff.session.denoiser import Denoiser
from labdiff.session.image_clusters import nearest_clusters, statistics_of
from labdiff.session.models import build_odu
from twin.denoising_unit import OpticalDenoisingUnit

CHECKPOINT_SECONDS = 5.0
"""Time between two checkpoints: the longest whose work a crash costs."""


@dataclass(slots=True)
class Position:
    """Where a job is: in which stage, and what comes next in it.

    Next is the step of a layer set, or the step-th of the routines that are planned.
    """

    stage: str = "offline"
    layer_set: int = 0
    step: int = 0
    planned: tuple[str, ...] = ()

    def go_to(self, stage: str, planned: tuple[str, ...] = ()) -> None:
        """Set the position to the beginning of a stage."""
        self.stage, self.planned = stage, planned
        self.layer_set = self.step = 0


class TrainingSession(Denoiser):
    """A denoiser in training; `labdiff.session.checkpoint` stores and resumes it.

    Attributes:
        images: the training images and those held out.
        training_images: the training images (count, H, W) where unit and twin are.
        training_labels: their class numbers (count,), there too.
        data: what a run stores of them.
        pretrained: whether the layers came from a file; every layer set then starts from its own.
        position: where the job is.
        figures: named results so far.
        range_baselines: those of each layer set; empty until they are first asked for.
        in_progress: state of the stage at work, to resume it from a checkpoint; empty between stages.
        starting_layers: the unit's parameters with which online learning starts, while others learn on from
            them for comparison; empty otherwise.
        bench_snapshot: where the bench of a resumed run was; None if it cannot be put back there.
        resumed: whether the session was resumed from a checkpoint.
        checkpoint_seconds: time between two checkpoints.
        last_checkpoint_s: the monotonic clock at the last checkpoint.
    """

    def __init__(
        self,
        calibrated: CalibratedBench,
        options: TrainingOptions,
        odu: OpticalDenoisingUnit,
        images: ImageSet,
    ) -> None:
        super().__init__(calibrated, options, odu, prompt_classes(options, images))
        self.images = images
        self.training_images, self.training_labels = images.train, images.train_labels
        self._members_there: dict[int, Tensor] = {}
        self.data = DataRecord.of(images, self.classes)
        self.pretrained = self.resumed = False
        self.position = Position()
        self.figures: dict[str, float] = {}
        self.range_baselines: tuple[RangeBaseline, ...] = ()
        self.in_progress: dict[str, np.ndarray] = {}
        self.starting_layers: dict[str, np.ndarray] = {}
        self.bench_snapshot: BenchSnapshot | None = None
        self.checkpoint_seconds = CHECKPOINT_SECONDS
        self.last_checkpoint_s = time.monotonic()

    def move_to(self, device: torch.device) -> None:
        """Move unit, twin and training images to a device."""
        super().move_to(device)
        images = self.images
        self.training_images = images.train.to(device)
        self.training_labels = images.train_labels.to(device)
        self._members_there.clear()

    @classmethod
    def create(
        cls, calibrated: CalibratedBench, options: TrainingOptions, data_dir: Path | None = None
    ) -> TrainingSession:
        """Load the images and make an untrained unit for them.

        Args:
            calibrated: The bench and what is known of it.
            options: Name the images and the unit.
            data_dir: Folder of data files; None for LABDIFF_DATA, or this user's.

        Raises:
            UserError: The images do not fit the patches, or have one class where prompts are wanted.
        """
        images = images_of(options, data_dir)
        classes = prompt_classes(options, images)
        if options.prompt and len(classes) < 2:
            raise UserError(f"prompt: {images.name} has one class; a prompt needs two or more")
        blocks = torch.searchsorted(torch.tensor(classes), images.train_labels) if classes else None
        statistics = statistics_of(
            images.train, blocks, len(classes), options.clusters, options.seed
        )
        odu = build_odu(calibrated.config, options, statistics, len(classes))
        return cls(calibrated, options, odu, images)

    def clusters_of(self, images: Tensor) -> Tensor | None:
        """Return the cluster (B,) nearest to each clean image (B, H, W); None without clusters."""
        if self.odu.clusters == 1:
            return None
        return nearest_clusters(self.odu.cluster_means.to(images.device), images)

    def held_out_by_cluster(self) -> tuple[Tensor, ...]:
        """Return the held-out images (N, H, W) of each cluster; a cluster with none gets them all."""
        test = self.images.test
        clusters = self.clusters_of(test)
        if clusters is None:
            return (test,)
        found = (test[clusters == cluster] for cluster in range(self.odu.clusters))
        return tuple(mine if len(mine) else test for mine in found)

    @cached_property
    def members(self) -> tuple[Tensor, ...]:
        """Numbers of the training images of each cluster; without clusters one, with all of them.

        Computed from the unit's mean images at first use, so that a resumed training has the same.
        """
        every = torch.arange(len(self.images.train))
        if self.odu.clusters == 1:
            return (every,)
        nearest = nearest_clusters(
            self.odu.cluster_means.cpu(),
            self.images.train,
            prompts_of(self, self.images.train_labels),
            len(self.classes),
        )
        found = (every[nearest == cluster] for cluster in range(self.odu.clusters))
        # A cluster that no image is nearest to has no weight: it is never drawn to generate.
        return tuple(mine if len(mine) else every for mine in found)

    def training_members(self, cluster: int) -> Tensor:
        """Return the numbers of a cluster's training images where unit and twin are; sent there once."""
        if cluster not in self._members_there:
            self._members_there[cluster] = self.members[cluster].to(self.device)
        return self._members_there[cluster]

    def store_starting_layers(self) -> None:
        """Store the unit's parameters as those with which online learning starts."""
        self.starting_layers = {
            name: value.detach().cpu().numpy().copy()
            for name, value in self.odu.state_dict().items()
        }

    def load_starting_layers(self) -> None:
        """Give the unit the stored parameters again."""
        stored = {name: torch.from_numpy(v.copy()) for name, v in self.starting_layers.items()}
        self.odu.load_state_dict(stored)


def images_of(options: TrainingOptions, data_dir: Path | None = None) -> ImageSet:
    """Load the images that options name. Raises UserError as `load_images`."""
    return load_images(
        options.data,
        options.image_size,
        options.classes,
        data_dir,
        options.seed,
        options.white or None,
        options.background,
    )


def prompt_classes(options: TrainingOptions, images: ImageSet) -> tuple[int, ...]:
    """Return the class numbers that can be prompted, in order; none where the options say no prompts."""
    return tuple(sorted(set(images.train_labels.tolist()))) if options.prompt else ()
