"""A denoising unit on its bench: all that predicting noise and generating images need."""

from __future__ import annotations

from labdiff.config.training import TIMESTEPS, TrainingOptions
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.session.calibrated_bench import CalibratedBench
from twin.denoising_unit import OpticalDenoisingUnit


class Denoiser:
    """A denoising unit with the bench that it runs on, its noise schedule and its time-aware policy.

    Attributes:
        calibrated: the bench, or its twin alone.
        options: what the unit was trained with; its sampler's are those of a generation.
        odu: the unit, trained or not.
        classes: class numbers that can be prompted, number k of them by block k; empty without prompts.
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
        self.schedule = NoiseSchedule(TIMESTEPS)
        self.policy = TimeAwarePolicy(
            options.first_t, options.layer_sets, options.timestep_edges, options.clusters
        )
