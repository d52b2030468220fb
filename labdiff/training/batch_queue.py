"""The batches of a layer set on their way: drawn, encoded and submitted once each, collected in order."""

from __future__ import annotations

from collections import deque

from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_share import BatchShare
from labdiff.training.batches import draw_batch
from labdiff.training.forward import TwinForward
from labdiff.training.methods import Method
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.submitted_batch import Fields, SubmittedBatch


class BatchQueue:
    """Submitted batches of the optimiser's layer set; at most one is ahead of the one in work."""

    def __init__(
        self,
        session: TrainingSession,
        forward: TwinForward,
        optimiser: LayerOptimiser,
        method: Method,
        share: BatchShare | None = None,
    ) -> None:
        self._session, self._forward, self._optimiser = session, forward, optimiser
        self._method: Method = method
        self._share = share
        self._submitted: deque[SubmittedBatch] = deque()

    def __len__(self) -> int:
        """Return the number of batches that are submitted and not collected."""
        return len(self._submitted)

    @property
    def ahead(self) -> SubmittedBatch | None:
        """Return the batch that is collected next; None if none is submitted."""
        return self._submitted[0] if self._submitted else None

    def submit(self, step: int, displayed: Fields | None = None) -> None:
        """Draw, encode and submit the batch of a step. displayed: what a resumed run had displayed."""
        layer_set = self._optimiser.layer_set
        batch = draw_batch(self._session, self._method, layer_set, step, self._share)
        phases = self._optimiser.phases
        submitted = self._forward.submit(batch, layer_set, phases, displayed, learning=True)
        self._submitted.append(submitted)

    def collect(self) -> SubmittedBatch:
        """Return the batch that was submitted first, and take it out."""
        return self._submitted.popleft()

    def encode_again(self) -> None:
        """Encode what is ahead by the parameters as they are now, after an optimiser step.

        What is displayed stays; the gradient of a batch is that of the parameters it will move.
        """
        for ahead in self._submitted:
            optimiser = self._optimiser
            ahead.encoded = self._forward.encode(ahead.batch, optimiser.layer_set, optimiser.phases)

    def discard(self) -> None:
        """Wait for what is ahead, measured by a bench that is no longer known, and forget it."""
        while self._submitted:
            _ = self._submitted.popleft().measurement
