"""Early stopping: of the layers that a training on the bench passes through, the best stay."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from labdiff.metrics.noise_error import FIRST_SCORED_T
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch, draw_batch
from labdiff.training.forward import TwinForward
from labdiff.training.methods import Method

log = logging.getLogger(__name__)

MOST_DRAWN = 4
"""Times the held-out batches that are drawn to find images that are scored among them."""
FIRST_HELD_OUT = -101
"""Number of the first held-out batch: negative steps are drawn for no training step, nor for offsets."""


class LayerCandidates:
    """A layer set as it was at the start, in the middle and at the end of a training on the bench.

    They are compared at the end, all on the same held-out batches: what was measured at the start would be
    that of a bench that has drifted since. Without held-out batches the last layers stay.
    """

    def __init__(
        self, session: TrainingSession, forward: TwinForward, method: Method, layer_set: int
    ) -> None:
        self._session, self._forward, self._method = session, forward, method
        self._layer_set = layer_set
        self._stored: dict[int, dict[str, Tensor]] = {}
        self._batches = session.options.held_out_batches if forward.on_bench else 0

    def store(self, step: int, steps: int) -> None:
        """Store the layer set as it is after so many steps out of all, if it is a candidate then."""
        if self._batches and step in (0, steps // 2, steps):
            own = self._session.odu.named_parameters()
            self._stored[step] = {
                name: value.detach()[self._layer_set].clone() for name, value in own
            }

    def keep_best(self) -> int | None:
        """Give the unit the best layers; return the step after which they were, None for no comparison.

        What is no better than the start by more than a standard error of the difference does not count.
        """
        if not self._batches or len(self._stored) < 2:
            return None
        losses = self._losses()
        first = min(losses)
        best, least = first, 0.0
        for step, loss in losses.items():
            change = loss - losses[first]
            error = float(change.std()) / math.sqrt(len(change)) if len(change) > 1 else 0.0
            if float(change.mean()) < min(least, -error):
                best, least = step, float(change.mean())
        self._load(self._stored[best])
        if best != max(losses):
            log.info("layer set %d: the layers after step %d stay", self._layer_set + 1, best)
        self._stored.clear()
        return best

    def _losses(self) -> dict[int, Tensor]:
        """Return the squared error of each held-out image, (images,), for each candidate by its step.

        All candidates measure a batch before the next one, and the drift is followed meanwhile: one that
        is measured later would be that of another bench.
        """
        session, forward, layer_set = self._session, self._forward, self._layer_set
        losses: dict[int, list[Tensor]] = {step: [] for step in sorted(self._stored)}
        with torch.no_grad():
            for batch in self._held_out():
                for step, of_candidate in losses.items():
                    self._load(self._stored[step])
                    submitted = forward.submit(batch, layer_set)
                    measured = forward(submitted).measured
                    predicted = session.odu.decode(measured, batch.x_t, batch.abar, layer_set)
                    of_candidate.append((predicted - batch.noise).square().mean((1, 2)))
                session.calibrated.follow_drift(*submitted.displayed, measured)
        return {step: torch.cat(of_candidate) for step, of_candidate in losses.items()}

    def _held_out(self) -> list[Batch]:
        """Return the held-out batches, of images that are scored, if the layer set has any.

        The noise of least t, which nobody can see and which is not scored, would outweigh all others.
        """
        session, wanted = self._session, self._batches * self._session.options.batch
        drawn = Batch.joined(
            [
                draw_batch(session, self._method, self._layer_set, FIRST_HELD_OUT - number)
                for number in range(MOST_DRAWN * self._batches)
            ]
        )
        scored = (drawn.t >= FIRST_SCORED_T).nonzero()[:, 0]
        chosen = (scored if len(scored) else torch.arange(len(drawn.t)))[:wanted]
        return [drawn.part(some) for some in torch.split(chosen, session.options.batch)]

    def _load(self, values: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in self._session.odu.named_parameters():
                value[self._layer_set] = values[name]

    def state(self) -> dict[str, Tensor]:
        """Return the candidates as tensors by name: "0.phases" and so on."""
        return {
            f"{step}.{name}": value
            for step, values in self._stored.items()
            for name, value in values.items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Resume from what `state` gave."""
        self._stored.clear()
        for key, value in state.items():
            step, _, name = key.partition(".")
            self._stored.setdefault(int(step), {})[name] = value.clone()
