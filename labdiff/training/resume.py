"""What training keeps beside layers and twin, so that a resumed run goes on to the bit.

Optimisers remember, and at any step a batch is on its way, written with layers that have moved since. It is
kept as it was written, with the bench as it was before: a resumed run sends it again.
"""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.events import Checkpoint
from labdiff.session.checkpoint import make_checkpoint
from labdiff.session.training_session import TrainingSession
from labdiff.training.forward import SubmittedBatch, TwinForward
from labdiff.training.optimiser import LayerOptimiser

LEARNER, SOURCE, SENT = "learner.", "source.", "sent."


def checkpoint(
    session: TrainingSession,
    source: TwinForward,
    learner: LayerOptimiser,
    sent: SubmittedBatch | None,
) -> Checkpoint:
    """After a step. sent: the batch for the next one; None if the layer set has none."""
    kept = {LEARNER + name: value for name, value in learner.state().items()}
    kept |= {SOURCE + name: value for name, value in source.state().items()}
    if sent is not None:
        kept |= {SENT + "inputs": sent.inputs, SENT + "layers": sent.layers}
    session.in_progress.clear()
    session.in_progress.update({name: value.numpy() for name, value in kept.items()})
    return make_checkpoint(session, None if sent is None else sent.before)


class ResumeState:
    """What a resumed session kept of its training; empty in one that begins."""

    def __init__(self, session: TrainingSession) -> None:
        self._kept = {k: torch.from_numpy(v).clone() for k, v in session.in_progress.items()}
        # A bench that cannot be put back has moved on: what was sent to it is sent anew.
        self._sent = session.bench_snapshot is not None
        session.in_progress.clear()

    def source(self, source: TwinForward) -> None:
        """Let the light's source remember; once."""
        if self._kept:
            source.load_state(self._part(SOURCE))

    def learner(self, learner: LayerOptimiser) -> None:
        """Let the first layer set's optimiser remember; those of later ones begin."""
        state = self._part(LEARNER)
        if state:
            learner.load_state(state)

    def send(self, source: TwinForward) -> SubmittedBatch | None:
        """Send the batch that was on its way; None if there was none."""
        sent = self._part(SENT)
        return source.send(sent["inputs"], sent["layers"]) if sent and self._sent else None

    def _part(self, prefix: str) -> dict[str, Tensor]:
        """Of what was kept; each part is given out once."""
        names = [name for name in self._kept if name.startswith(prefix)]
        return {name.removeprefix(prefix): self._kept.pop(name) for name in names}
