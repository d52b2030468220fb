"""What each batch of frames tells of the twin while training goes on: `look` after every measurement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from labdiff.training.change_detector import ChangeDetector
from twin.alignment_filter import Measurement, TwinFilter
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import is_among, parameter_vector, prior_sigma
from twin.parameters import PATH_PARAMETERS

FRAMES = 4
"""Of a batch that are looked at: each has ten thousand pixels."""
SAMPLES = 2
"""Samples a pixel of the twin that is refined: one, enough for a gradient, misses six times the noise."""
INFORMATION_AT, INFORMATION_EVERY = (0, 10, 40), 100
"""Refinements before which what a frame tells is taken anew; it costs a hundred forward passes."""
INFORMATION_AGAIN = 4
"""Refinements after which it is taken anew if the twin misses more than it should."""
SIGNIFICANT = 2.0
"""Standard errors by which D has to lie above its floor for the twin to be refined."""
FAR = 0.1
"""From this D on images are no linear function of what is wrong, and a filter would go astray."""
CAPTURE_FRAMES, CAPTURE_EVERY = 8, 5
CAPTURE_BLUR_PX = (8.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0)
UNRESOLVED_SHARE = 0.05
"""Of what is expected of a parameter: by so much one sample a pixel may have misled the calibration."""


@dataclass(frozen=True, slots=True)
class RefinementResult:
    """What one batch told.

    discrepancy: mean D of the frames looked at, before anything was changed. noise_floor: the D that a
    perfect twin would show, NaN if the frames' noise is not known. refined: the twin was changed.
    trusted: nothing speaks against the batch. sudden: the bench is no longer the one that it was a few
    batches ago, and nothing was changed.
    """

    discrepancy: float
    noise_floor: float
    refined: bool
    trusted: bool = True
    sudden: bool = False


class TwinRefiner:
    """Keeps a twin true to a bench that drifts. Deterministic; `state` is all that it remembers.

    The twin is judged and refined with two samples a pixel; the twin given, with which layers learn,
    takes over the parameters.
    """

    def __init__(
        self, twin: DigitalTwin, covariance: Tensor | None = None, samples: int = SAMPLES
    ) -> None:
        """Covariance (P, P): what calibration left unknown of the twin; None: all but the data sheet."""
        self.twin = twin
        self._fine = twin.finer(samples)
        expected = prior_sigma(twin).double()
        if covariance is None:
            # Pixels that are sharp by definition have no slope towards blurred ones.
            sharp = {"crosstalk_px"} if float(twin.crosstalk_px) == 0.0 else set()
            start = torch.diag(expected.square() * ~is_among(twin, sharp))
        else:
            misled = (UNRESOLVED_SHARE * expected).square() * (covariance.diagonal() > 0.0)
            start = covariance.double() + torch.diag(misled)
        self._filter = TwinFilter(self._fine, start)
        self._usual = ChangeDetector()
        self._refined, self._since_capture = 0, CAPTURE_EVERY
        self._since_information = 0
        self._last_s = math.nan

    def look(
        self, inputs: Tensor, layers: Tensor, measured: Tensor, noise_floor: Tensor, now_s: float
    ) -> RefinementResult:
        """Inputs (B, h, w) and layers ([B,] N, h, w) as written, and the bench's answer (B, h, w).

        noise_floor (B,): as `labdiff.bench.measurement.Measurement` has it. now_s: the bench's clock.
        """
        seen = _first(FRAMES, inputs, layers, measured)
        self._fine.load_alignment(self.twin.state_dict())
        if not math.isnan(self._last_s):
            self._filter.predict(max(now_s - self._last_s, 0.0))
        self._last_s = now_s
        found = self._filter.measured(seen)
        d, floor = float(found.discrepancy.mean()), float(noise_floor[:FRAMES].mean())
        verdict = self._usual.judge(d, floor, self._filter.expected_discrepancy)
        self._since_capture += 1
        refined = verdict == "usual" and self._exceeds(found.discrepancy, noise_floor[:FRAMES])
        if refined and d <= FAR:
            self._step(seen, found)
        elif refined and self._since_capture >= CAPTURE_EVERY:
            self._capture(_first(CAPTURE_FRAMES, inputs, layers, measured))
        else:
            refined = False
        return RefinementResult(d, floor, refined, verdict == "usual", verdict == "sudden")

    def _exceeds(self, discrepancy: Tensor, floor: Tensor) -> bool:
        """Is it more than the frames' noise that the twin misses? Yes, where the noise is not known."""
        excess = discrepancy.double() - floor.double()
        if bool(excess.isnan().any()) or len(excess) < 2:
            return True
        error = float(excess.std()) / math.sqrt(len(excess))
        return float(excess.mean()) > SIGNIFICANT * error

    def _step(self, seen: Triples, found: Measurement) -> None:
        """One step of the filter."""
        self._since_information += 1
        astray = self._filter.astray(found) and self._since_information >= INFORMATION_AGAIN
        if astray or self._refined in INFORMATION_AT or self._refined % INFORMATION_EVERY == 0:
            self._filter.take_information(self.twin, seen, found)
            self._since_information = 0
        self._filter.update(seen, found)
        self._refined += 1
        self.twin.load_alignment({n: v.clone() for n, v in self._fine.state_dict().items()})

    def _capture(self, seen: Triples) -> None:
        """Fit what leads the light to one batch, from coarse to fine; the filter starts anew from there."""
        phases = seen.phases.expand(len(seen.inputs), -1, -1, -1)
        whole = Triples(seen.inputs, phases, seen.intensity)
        around = parameter_vector(self.twin)
        for _ in fit_alignment(self.twin, whole, CAPTURE_BLUR_PX, PATH_PARAMETERS, around=around):
            pass
        self._filter.forget()
        self._refined, self._since_capture = 0, 0

    def begin_anew(self) -> None:
        """The bench was measured again after a sudden change; the twin given is up to date."""
        self._filter.forget()
        self._usual = ChangeDetector()
        self._refined, self._since_capture, self._last_s = 0, CAPTURE_EVERY, math.nan

    def deviation(self) -> dict[str, float]:
        """One standard deviation of each of the alignment's values, names as `DigitalTwin.alignment`."""
        return self.twin.alignment_deviation(self._filter.covariance)

    def state(self) -> dict[str, Tensor]:
        """All that a resumed training needs beside the twin's own parameters."""
        counts = [self._refined, self._since_capture, self._since_information]
        own = torch.tensor([*counts, self._last_s], dtype=torch.float64)
        return {"looks": own, "usual": self._usual.state(), **self._filter.state()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave. Raises KeyError if something is missing."""
        *counts, self._last_s = state["looks"].tolist()
        self._refined, self._since_capture, self._since_information = (int(n) for n in counts)
        self._usual.load_state(state["usual"])
        self._filter.load_state(state)


def _first(count: int, inputs: Tensor, layers: Tensor, measured: Tensor) -> Triples:
    """Of the first frames; layers that all share come as (1, N, h, w)."""
    some = slice(count)
    return Triples(
        inputs[some], layers[some] if layers.dim() == 4 else layers[None], measured[some]
    )
