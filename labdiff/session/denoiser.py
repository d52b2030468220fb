"""A denoising unit on its bench: all that predicting noise and generating images need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from labdiff.config.training import TIMESTEPS, TrainingOptions
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.device import compute_in_full
from twin.denoising_unit import OpticalDenoisingUnit


class Denoiser:
    """A denoising unit with the bench that it runs on, its noise schedule and its time-aware policy.

    Attributes:
        calibrated: the bench, or its twin alone.
        options: what the unit was trained with; its sampler's are those of a generation.
        odu: the unit, trained or not.
        classes: class numbers that can be prompted, number k of them by block k; empty without prompts.
        class_numbers: the same where the unit is, (K,).
        schedule: how much noise there is at each timestep.
        policy: which layer set denoises which cluster at which timestep.
    """

    def __init__(
        self,
        calibrated: CalibratedBench,
        options: TrainingOptions,
        odu: OpticalDenoisingUnit,
        classes: tuple[int, ...] = (),
    ) -> None:
        self.calibrated, self.options, self.odu, self.classes = calibrated, options, odu, classes
        self.class_numbers = torch.tensor(classes)
        self.schedule = NoiseSchedule(TIMESTEPS)
        self.policy = TimeAwarePolicy(
            options.first_t, options.layer_sets, options.timestep_edges, options.clusters
        )

    @property
    def device(self) -> torch.device:
        """Return the device on which unit and twin are."""
        return self.calibrated.device

    def move_to(self, device: torch.device) -> None:
        """Move the unit and the twin to a device; the bench stays where it is."""
        compute_in_full(device)
        self.calibrated.move_to(device)
        self.class_numbers = self.class_numbers.to(device)
        move_module(self.odu, device)

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """Compute on a device while this is entered; afterwards on the one before."""
        before = self.device
        self.move_to(device)
        try:
            yield
        finally:
            self.move_to(before)


def move_module(module: torch.nn.Module, device: torch.device) -> None:
    """Move a module's parameters and buffers to a device; nothing is done if they are there."""
    if next(module.parameters()).device != device:
        module.to(device)
