"""Match the decoder's offsets to the bench before training on it."""

from __future__ import annotations

import torch

from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch, draw_batch
from labdiff.training.forward import TwinForward
from labdiff.training.methods import Method

MATCHED_BATCHES = 2
"""Number of batches whose mean is compared; training never sees them."""


def match_offsets(
    session: TrainingSession, forward: TwinForward, method: Method, layer_set: int
) -> None:
    """Move a layer set's offsets until the bench's mean prediction is the twin's, cell by cell.

    Args:
        session: the images and the unit.
        forward: what measures, on a bench.
        method: of the training.
        layer_set: whose offsets move.
    """
    steps = range(-1, -1 - MATCHED_BATCHES, -1)
    batch = Batch.joined([draw_batch(session, method, layer_set, step) for step in steps])
    with torch.no_grad():
        submitted = forward.submit(batch, layer_set)
        modelled = session.calibrated.twin(*submitted.displayed)
    session.odu.match(submitted.measured, modelled, layer_set)
