"""Whether the twin has a free-form part: learnt where known parameters do not explain the bench."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.free_form_fit import FreeFormFit

NEEDED_ABOVE = 4.0
"""Multiple of the noise floor that D of a fitted twin has to exceed before a free-form part is tried."""
FIRST_STEPS, FIRST_BATCHES, STEPS = 15, 3, 2
"""Steps of the fit with each of the first batches, how many these are, and steps with each later one."""
ADOPTED_BELOW = 0.8
"""Ratio of the squared residual with the part to that without, on frames that the fit has not seen, below
which it is adopted."""
WORSE_BATCHES = 2
"""Number of batches in a row on which the residual is no smaller with the part, after which it goes."""
FIRST_WAIT = 10
"""Steps until the part is tried again after it did not help; twice as many after each further time."""


class FreeFormPart:
    """Tries a free-form part on a twin, adopts it, and drops it, by frames that it was not fitted to.

    A batch is compared before the fit takes it: its images are new, and so are its layers, by a step. A
    part that was fitted is a candidate first, which the twin does not have.
    """

    def __init__(self, twin: DigitalTwin, frames: int) -> None:
        """Begin with the part that the twin has, if it has one.

        Args:
            twin: with which layers learn; gets the part, or loses it.
            frames: the latest to which the part is fitted.
        """
        self._twin = twin
        self._fit = FreeFormFit(twin, frames)
        self.adopted = bool(twin.free_form)
        self._trying, self._batches, self._worse = self.adopted, 0, 0
        self._rest, self._wait = 0, FIRST_WAIT

    @property
    def trying(self) -> bool:
        """Return whether the part is adopted or a candidate: other fits wait."""
        return self._trying

    def take(self, batch: Triples, discrepancy: float, floor: float, exhausted: bool) -> None:
        """Take the frames of a batch that nothing speaks against.

        Args:
            batch: its frames.
            discrepancy: mean D of the twin that is compared.
            floor: mean D of a perfect twin; NaN if it is not known.
            exhausted: a fit of the twin's parameters to the latest frames has just not helped.
        """
        self._rest = max(self._rest - 1, 0)
        if not self._trying:
            if not exhausted or self._rest or not discrepancy > NEEDED_ABOVE * floor:
                return
            self._trying, self._batches = True, 0
        elif self._batches:
            self._check(batch)
            if not self._trying:
                return
        self._fit.add(batch)
        self._batches += 1
        self._fit.improve(FIRST_STEPS if self._batches <= FIRST_BATCHES else STEPS)
        if self.adopted:
            self._twin.set_free_form(self._fit.values)

    def _check(self, batch: Triples) -> None:
        """Adopt the part, or drop it, by a batch that the fit has not seen."""
        having, lacking = (self._fit.missed(batch, with_it) for with_it in (True, False))
        self._worse = self._worse + 1 if having >= lacking else 0
        if not self.adopted and having < ADOPTED_BELOW * lacking:
            self.adopted = True
        elif self._worse >= WORSE_BATCHES or not (self.adopted or self._batches < FIRST_BATCHES):
            self._drop()

    def _drop(self) -> None:
        self._twin.set_free_form({})
        self.adopted = self._trying = False
        self._fit.forget()
        self._batches = self._worse = 0
        self._rest, self._wait = self._wait, 2 * self._wait

    def forget_frames(self) -> None:
        """Forget frames of before the bench changed; what is learnt of it stays."""
        self._fit.forget_frames()

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs beside the twin's own part."""
        counts = [self.adopted, self._trying, self._batches, self._worse, self._rest, self._wait]
        fit = self._fit.state() if self._trying else {}
        return {"own": torch.tensor(counts, dtype=torch.int64), **fit}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Resume from what `state` gave; one without anything is of a run that had no such part."""
        if "own" not in state:
            return
        adopted, trying, self._batches, self._worse, self._rest, self._wait = state["own"].tolist()
        self.adopted, self._trying = bool(adopted), bool(trying)
        if self._trying:
            self._fit.load_state(state)
        self._twin.set_free_form(self._fit.values if self.adopted else {})
