"""What training stores beside layers and twin, so that a resumed run is the same to the bit.

Optimisers have a state, and at any step a batch is ahead, displayed with layers that have moved since. It
is stored as it was displayed, with the bench as it was before: a resumed run submits it again.
"""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.events import Checkpoint
from labdiff.session.checkpoint import make_checkpoint
from labdiff.session.training_session import TrainingSession
from labdiff.training.early_stopping import LayerCandidates
from labdiff.training.forward import TwinForward
from labdiff.training.optimiser import LayerOptimiser
from labdiff.training.submitted_batch import Fields, SubmittedBatch

OPTIMISER, FORWARD, DISPLAYED, CANDIDATES = "learner.", "source.", "sent.", "candidate."
"""Beginnings of the names under which a checkpoint stores a training in progress."""


def checkpoint(
    session: TrainingSession,
    forward: TwinForward,
    optimiser: LayerOptimiser,
    ahead: SubmittedBatch | None,
    candidates: LayerCandidates,
) -> Checkpoint:
    """Return the checkpoint after a step.

    Args:
        session: the training session; what is in progress is put into it.
        forward: the forward pass and its state.
        optimiser: of the layer set.
        ahead: the batch of the next step; None if the layer set has none.
        candidates: the layer set as it was earlier.
    """
    stored = {OPTIMISER + name: value for name, value in optimiser.state().items()}
    stored |= {FORWARD + name: value for name, value in forward.state().items()}
    stored |= {CANDIDATES + name: value for name, value in candidates.state().items()}
    if ahead is not None:
        inputs, layers = ahead.all_displayed
        stored |= {DISPLAYED + "inputs": inputs, DISPLAYED + "layers": layers}
    session.in_progress.clear()
    session.in_progress.update({name: value.cpu().numpy() for name, value in stored.items()})
    return make_checkpoint(session, None if ahead is None else ahead.bench_before)


class ResumeState:
    """What a resumed session stored of its training; empty in one that begins. Each part is given once."""

    def __init__(self, session: TrainingSession) -> None:
        self._device = session.device
        self._stored = {k: torch.from_numpy(v).clone() for k, v in session.in_progress.items()}
        # A bench that cannot be put back has moved on: its batch is encoded again.
        self._bench_restored = session.bench_snapshot is not None
        session.in_progress.clear()

    def load_forward(self, forward: TwinForward) -> None:
        """Load the forward pass's state."""
        if self._stored:
            forward.load_state(self._part(FORWARD))

    def load_optimiser(self, optimiser: LayerOptimiser) -> None:
        """Load the first layer set's optimiser; those of later ones begin."""
        state = self._part(OPTIMISER)
        if state:
            optimiser.load_state(state)

    def load_candidates(self, candidates: LayerCandidates) -> None:
        """Load the first layer set's candidates; those of later ones begin."""
        state = self._part(CANDIDATES)
        if state:
            candidates.load_state(state)

    def displayed(self) -> Fields | None:
        """Return inputs and layers of the batch that was ahead, as displayed; None if there was none."""
        ahead = self._part(DISPLAYED)
        if not ahead or not self._bench_restored:
            return None
        return ahead["inputs"].to(self._device), ahead["layers"].to(self._device)

    def _part(self, start: str) -> dict[str, Tensor]:
        names = [name for name in self._stored if name.startswith(start)]
        return {name.removeprefix(start): self._stored.pop(name) for name in names}
