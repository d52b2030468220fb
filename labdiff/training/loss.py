"""The loss of a training step."""

from __future__ import annotations

from torch import Tensor

from labdiff.session.training_session import TrainingSession
from labdiff.training.forward import ForwardResult
from labdiff.training.submitted_batch import SubmittedBatch


def training_loss(
    session: TrainingSession, submitted: SubmittedBatch, result: ForwardResult, layer_set: int
) -> Tensor:
    """Return what a training step lessens: the mean squared error of the unit's prediction.

    A further term is added here; its weight is an option in `labdiff.config.training.LearningOptions`, at
    hand as `session.options`.

    Args:
        session: the unit, which decodes the intensity, and the options.
        submitted: noisy images and targets, and `encoded`: inputs and layers, with their gradient.
        result: the forward pass, with the gradient.
        layer_set: of the batch's timesteps.
    """
    batch = submitted.batch
    loss = session.odu.loss(
        result.intensity, batch.x_t, batch.abar, batch.clean, batch.noise, layer_set
    )
    return loss if result.term is None else loss + result.term
