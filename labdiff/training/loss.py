"""The loss of a training step."""

from __future__ import annotations

from torch import Tensor

from labdiff.training.batches import Batch
from labdiff.training.forward import ForwardResult
from twin.denoising_unit import OpticalDenoisingUnit


def training_loss(
    odu: OpticalDenoisingUnit, batch: Batch, result: ForwardResult, layer_set: int
) -> Tensor:
    """Return what a training step lessens: the mean squared error of the unit's prediction.

    A further term is added here, its weight in `labdiff.config.training.LearningOptions`.

    Args:
        odu: the unit, which decodes the intensity.
        batch: noisy images and targets.
        result: the forward pass, with the gradient.
        layer_set: of the batch's timesteps.
    """
    return odu.loss(result.intensity, batch.x_t, batch.abar, batch.clean, batch.noise, layer_set)
