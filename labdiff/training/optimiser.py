"""One layer set, and the optimiser that moves it."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.config.training import TrainingOptions
from labdiff.training.batch_share import BatchShare
from labdiff.training.moments import load_moments, moments
from twin.denoising_unit import REST_RAD, OpticalDenoisingUnit

RATE_OF_ENDS = 0.2
"""Learning rate of what encodes and decodes, over that of the phases."""
MEMORY = (0.9, 0.9)
"""Of Adam's means. Short: within some hundred steps the gradients shrink by orders of magnitude."""


class LayerOptimiser:
    """Adam with a cosine over the steps, for phases and for what encodes and decodes.

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
        self._odu, self._layer_set, self._batch = odu, layer_set, options.batch
        self._deviation = (odu.phases.detach()[layer_set] - REST_RAD).requires_grad_()
        self._optimiser = torch.optim.AdamW(
            [
                {"params": [self._deviation], "lr": rate, "weight_decay": options.phase_decay},
                {"params": odu.ends, "lr": RATE_OF_ENDS * rate, "weight_decay": 0.0},
            ],
            betas=MEMORY,
        )
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimiser, max(steps, 1))

    @property
    def phases(self) -> Tensor:
        """The layers (N, h, w), rad, with a way back for the gradient."""
        return self._deviation + REST_RAD

    def skip(self, steps: int) -> None:
        """Be where the schedule is after so many steps."""
        for _ in range(steps):
            self._optimiser.step()  # without gradients: nothing moves
            self._schedule.step()

    def state(self) -> dict[str, Tensor]:
        """All that a resumed training needs beside the unit and the steps that are done.

        The unit's layers are the deviation plus pi, rounded; to subtract it again does not give it back.
        """
        return {"deviation": self._deviation.detach().clone(), **moments(self._optimiser)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        with torch.no_grad():
            self._deviation.copy_(state["deviation"])
        load_moments(self._optimiser, {k: v for k, v in state.items() if k != "deviation"})

    def backward(self, loss: Tensor, share: BatchShare | None = None) -> None:
        """The gradient of a step; share: loss is that of a part of the batch, and others have the rest."""
        self._optimiser.zero_grad()
        torch.autograd.backward(loss if share is None else share.weight(self._batch) * loss)
        if share is not None:
            share.sum_gradients(self.parameters)

    @property
    def parameters(self) -> list[Tensor]:
        """All that is moved: the deviation of the phases, and what encodes and decodes."""
        return [self._deviation, *self._odu.ends]

    def step(self, trusted: bool = True) -> None:
        """One step down the gradient; the unit then has the new layers. Not trusted: nothing moves."""
        if not trusted:
            self._optimiser.zero_grad()
        self._optimiser.step()
        self._schedule.step()
        with torch.no_grad():
            self._odu.phases[self._layer_set] = self.phases
