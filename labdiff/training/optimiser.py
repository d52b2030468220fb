"""The optimiser of one layer set."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from labdiff.config.training import TrainingOptions
from labdiff.training.batch_share import BatchShare
from twin.denoising_unit import REST_RAD, OpticalDenoisingUnit
from twin.denormals import denormals_flushed

ENCODER_RATE = 0.2
"""Learning rate of the encoder and decoder parameters, relative to that of the phases."""
BETAS = (0.9, 0.9)
"""Decay rates of Adam's two means. They forget fast: within some hundred steps the gradients shrink by
orders of magnitude."""
DEVIATION = "deviation"
"""Name of the phases' deviation from rest in an optimiser's state, beside those of its means."""


class LayerOptimiser:
    """Adam with a cosine schedule, for the phases of a layer set and for what encodes and decodes.

    What is moved is the phases' deviation from rest, which decays: without that pull phases wander over
    many turns, and each fall from 2 pi to 0 scatters light at angles that a twin with one sample a pixel
    cannot follow.
    """

    def __init__(
        self,
        odu: OpticalDenoisingUnit,
        layer_set: int,
        options: TrainingOptions,
        rate: float,
        steps: int,
    ) -> None:
        self.layer_set = layer_set
        self._odu, self._batch = odu, options.batch
        self._deviation = (odu.phases.detach()[layer_set] - REST_RAD).requires_grad_()
        self._optimiser = _optimiser(self._deviation, odu.codec_parameters, options, rate)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimiser, max(steps, 1))

    @property
    def phases(self) -> Tensor:
        """Return the layers (N, h, w), rad, with a gradient."""
        return self._deviation + REST_RAD

    @property
    def parameters(self) -> list[Tensor]:
        """Return all that is moved: the deviation of the phases, encoder and decoder parameters."""
        return [self._deviation, *self._odu.codec_parameters]

    def backward(self, loss: Tensor, share: BatchShare | None = None) -> None:
        """Compute the gradient of a step.

        share: the loss is that of a part of the batch, and other processes have the rest.
        """
        self._optimiser.zero_grad()
        torch.autograd.backward(loss if share is None else share.weight(self._batch) * loss)
        if share is not None:
            share.sum_gradients(self.parameters)

    def step(self, trusted: bool = True, scheduled: bool = True) -> None:
        """Make one step down the gradient, and give the unit the new layers.

        Args:
            trusted: whether the batch is; if not, nothing moves but the schedule.
            scheduled: whether the step counts in the schedule of the rate.
        """
        if not trusted:
            self._optimiser.zero_grad()
        with denormals_flushed():
            self._optimiser.step()
        if scheduled:
            self._schedule.step()
        with torch.no_grad():
            self._odu.phases[self.layer_set] = self.phases

    def skip(self, steps: int) -> None:
        """Bring the schedule to where it is after so many steps."""
        for _ in range(steps):
            self._optimiser.step()  # without gradients: nothing moves
            self._schedule.step()

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs beside the unit and the number of steps, as tensors by name.

        The unit's layers are the deviation plus pi, rounded; subtracting it does not give it back.
        """
        return {DEVIATION: self._deviation.detach().clone(), **_state(self._optimiser)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Resume from what `state` gave."""
        with torch.no_grad():
            self._deviation.copy_(state[DEVIATION])
        _load_state(self._optimiser, {k: v for k, v in state.items() if k != DEVIATION})


def _optimiser(
    deviation: Tensor, ends: list[torch.nn.Parameter], options: TrainingOptions, rate: float
) -> Optimizer:
    """Return the optimiser of phases and encoder; any of `torch.optim` without a closure can stand here."""
    return torch.optim.AdamW(
        [
            {"params": [deviation], "lr": rate, "weight_decay": options.phase_decay},
            {"params": ends, "lr": ENCODER_RATE * rate, "weight_decay": 0.0},
        ],
        betas=BETAS,
        # One kernel for all parameters in place of some dozen.
        fused=deviation.is_cuda or None,
    )


def _state(optimiser: Optimizer) -> dict[str, Tensor]:
    """Return copies of an optimiser's state of each parameter: "0.exp_avg" and so on."""
    return {
        f"{index}.{name}": value.clone()
        for index, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def _load_state(optimiser: Optimizer, state: dict[str, Tensor]) -> None:
    """Load what `_state` gave; rates and schedules stay."""
    whole = optimiser.state_dict()
    whole["state"] = {}
    for name, value in state.items():
        index, _, part = name.partition(".")
        whole["state"].setdefault(int(index), {})[part] = value.clone()
    optimiser.load_state_dict(whole)
