"""Training by light alone: the gradient of the layers is estimated from perturbed layers, without a twin.

    spsa                  simultaneous perturbation (Spall 1992): two frames an image, with the layers
                          moved by +c and -c along a random direction of its own
    policy_gradient       score function (Williams 1992; G-MFO, Zhao et al. 2023): one frame an image,
                          with layers drawn around the present ones; the error weighs the direction

Both are compared with online learning at equal frames. Their variance grows with the number of pixels of
the layers, which no learning rate takes away.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch
from labdiff.training.forward import BenchForward, ForwardResult
from labdiff.training.submitted_batch import Fields, SubmittedBatch

PERTURBATION_RAD = 0.2
"""Standard deviation of a perturbation: some grey levels, and little beside a wave."""
PERTURBATION_SEED = 40_000
"""Beginning of the seeds of perturbations."""
DRAWN = "perturbations"
"""Name of the number of perturbed batches in a checkpoint."""


class PerturbedForward(BenchForward):
    """Measures a training batch with perturbed layers, each image with a perturbation of its own.

    A batch that is only scored is measured with the layers as they are.
    """

    def __init__(self, session: TrainingSession) -> None:
        super().__init__(session)
        self._seed, self._drawn = session.options.seed, 0

    def __call__(self, submitted: SubmittedBatch) -> ForwardResult:
        """Return the bench's value; of a training batch with the estimated gradient of the layers."""
        if submitted.learning_set is None:
            return super().__call__(submitted)
        return self._estimate(submitted, submitted.learning_set)

    @abstractmethod
    def _estimate(self, submitted: SubmittedBatch, layer_set: int) -> ForwardResult:
        """Return the bench's value with the estimated gradient."""

    def _displayed_to_learn(self, inputs: Tensor, layers: Tensor) -> Fields:
        """Return inputs and perturbed layers (frames, N, h, w) as displayed."""
        own = layers if layers.dim() == 4 else layers.expand(len(inputs), -1, -1, -1)
        return self._displayed_perturbed(inputs, own)

    @abstractmethod
    def _displayed_perturbed(self, inputs: Tensor, layers: Tensor) -> Fields:
        """Return inputs and each image's layers (B, N, h, w), perturbed, as displayed."""

    def _generator(self) -> torch.Generator:
        self._drawn += 1
        return torch.Generator().manual_seed(self._seed + PERTURBATION_SEED + self._drawn)

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs."""
        return {DRAWN: torch.tensor(self._drawn)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Resume from what `state` gave."""
        self._drawn = int(state[DRAWN])


class SpsaForward(PerturbedForward):
    """Estimates how the intensity changes along one direction of the layers: the method "spsa".

    What the computer does with the intensity is differentiated exactly.
    """

    def _displayed_perturbed(self, inputs: Tensor, layers: Tensor) -> Fields:
        random = torch.rand(layers.shape, generator=self._generator())
        moved = torch.where(random < 0.5, -PERTURBATION_RAD, PERTURBATION_RAD)
        plus, minus = (self.calibrated.displayed(inputs, layers + sign * moved) for sign in (1, -1))
        return torch.cat([plus[0], minus[0]]), torch.cat([plus[1], minus[1]])

    def _estimate(self, submitted: SubmittedBatch, layer_set: int) -> ForwardResult:
        """Return the bench's value with the gradient along the direction that was tried."""
        count = len(submitted.batch.x_t)
        inputs, layers = submitted.all_displayed
        measured, other = submitted.measured, _measured_after(submitted, count)
        change = 0.5 * (measured - other)
        if submitted.measurement.clipped is not None:
            clipped = torch.from_numpy(submitted.measurement.clipped)
            change = change.masked_fill(clipped[:count] | clipped[count:], 0.0)
        direction = 0.5 * _wrapped(layers[:count] - layers[count:])
        along = _along(submitted.encoded[1], direction) / PERTURBATION_RAD**2
        intensity = measured + along[:, None, None] * change
        with torch.no_grad():
            modelled = self.calibrated.twin(inputs[:count], layers[:count])
        return ForwardResult(intensity, measured, modelled)


class PolicyGradientForward(PerturbedForward):
    """Weighs random directions by the error that each image had there: the method "policy_gradient"."""

    def _displayed_perturbed(self, inputs: Tensor, layers: Tensor) -> Fields:
        moved = PERTURBATION_RAD * torch.randn(layers.shape, generator=self._generator())
        return self.calibrated.displayed(inputs, layers + moved)

    def _estimate(self, submitted: SubmittedBatch, layer_set: int) -> ForwardResult:
        """Return the bench's value, and a term whose gradient is that of the expected error."""
        inputs, layers = submitted.all_displayed
        measured = submitted.measured
        with torch.no_grad():
            errors = self._errors(submitted.batch, measured, layer_set)
            modelled = self.calibrated.twin(inputs, layers)
        count = len(errors)
        # Less the mean error of the other images: it says nothing of this one's direction.
        advantage = (errors - errors.mean()) * count / max(count - 1, 1)
        offset = layers - submitted.encoded[1].detach()
        middle = torch.polar(torch.ones_like(offset), offset).mean(0).angle()
        direction = _wrapped(offset - middle)
        along = _along(submitted.encoded[1], direction) / PERTURBATION_RAD**2
        return ForwardResult(measured, measured, modelled, (advantage * along).mean())

    def _errors(self, batch: Batch, measured: Tensor, layer_set: int) -> Tensor:
        """Return the loss of each image, (B,)."""
        odu = self.odu
        parts = (slice(n, n + 1) for n in range(len(batch.x_t)))
        return torch.stack(
            [
                odu.loss(
                    measured[part],
                    batch.x_t[part],
                    batch.abar[part],
                    batch.clean[part],
                    batch.noise[part],
                    layer_set,
                )
                for part in parts
            ]
        )


def _measured_after(submitted: SubmittedBatch, count: int) -> Tensor:
    """Return the intensity of the frames that were measured after a batch's own."""
    return torch.from_numpy(submitted.measurement.intensity[count:])


def _wrapped(phases_rad: Tensor) -> Tensor:
    """Return phases within -pi ... pi."""
    return torch.remainder(phases_rad + torch.pi, 2.0 * torch.pi) - torch.pi


def _along(layers: Tensor, direction: Tensor) -> Tensor:
    """Return 0 for each image, (B,), with the gradient of the layers along its direction (B, N, h, w)."""
    return ((layers - layers.detach()) * direction).flatten(1).sum(1)
