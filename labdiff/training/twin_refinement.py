"""Refine the twin during training, by every batch that the bench has measured."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from labdiff.training.change_detector import ChangeDetector
from labdiff.training.free_form import NEEDED_ABOVE, FreeFormPart
from labdiff.training.twin_window import TwinWindow
from twin.alignment_filter import FrameComparison, TwinFilter
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import is_among, prior_sigma
from twin.parameters import PATH_PARAMETERS, free_in
from twin.prior import prior_around

FRAMES = 4
"""Number of frames of a batch that are compared with the twin: each has ten thousand pixels."""
SAMPLES = 2
"""Samples a pixel of the twin that is refined: one, enough for a gradient, misses six times the noise."""
INFORMATION_AT, INFORMATION_EVERY = (0, 10, 40), 100
"""Refinements before which the information of a frame is computed; it costs a hundred forward passes."""
INFORMATION_AGAIN = 4
"""Refinements after which it is computed again if the twin misses more than it should."""
SIGNIFICANT = 2.0
"""Number of standard errors by which D has to exceed its floor for the twin to be refined."""
FAR = 0.1
"""Discrepancy from which on images are no linear function of the errors, and a filter would diverge."""
CAPTURE_FRAMES, CAPTURE_EVERY = 8, 5
CAPTURE_BLUR_PX = (8.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0)
"""Blur of each iteration of a fit from afar, coarse to fine."""
UNRESOLVED_SHARE = 0.05
"""Share of a parameter's prior sigma by which one sample a pixel may have misled the calibration."""

COUNTS, CHANGES, WINDOW, FREE_FORM = "looks", "usual", "window.", "free_form."
"""Names of counts and of the change detector's state in a checkpoint, and how those of parts begin."""
SHIFTED_PX, SCALED = 0.1, 0.03
"""Shift of the output plane, and share of the intensity, from which on the bench takes them over."""


@dataclass(frozen=True, slots=True)
class RefinementResult:
    """What one batch has done to the twin.

    discrepancy: mean D of the frames compared, before anything was changed; NaN on a twin. noise_floor:
    the D of a perfect twin, NaN if the frames' noise is not known. refined: the twin was changed.
    trusted: nothing speaks against the batch. change_point: the bench is no longer the one that it was a
    few batches ago, and nothing was changed. intensity_scale, intensity_offset: mean over the frames
    compared of the line measured = scale * modelled + offset: laser power, and ambient light.
    correction_due: the twin has found the registration or the unit of intensity to be another: the bench
    takes it over once no batch is in progress.
    """

    discrepancy: float
    noise_floor: float
    refined: bool = False
    trusted: bool = True
    change_point: bool = False
    intensity_scale: float = math.nan
    intensity_offset: float = math.nan
    correction_due: bool = False


class TwinRefiner:
    """Keeps a twin true to a bench that drifts; deterministic, resumed from `state`.

    The twin is compared and refined with two samples a pixel; the twin given, with which layers learn,
    takes over the parameters.
    """

    def __init__(
        self,
        twin: DigitalTwin,
        covariance: Tensor | None = None,
        free: Collection[str] = free_in("finest"),
        samples: int = SAMPLES,
        window: TwinWindow | None = None,
        free_form: FreeFormPart | None = None,
    ) -> None:
        """Refine a twin.

        Args:
            twin: the digital twin.
            covariance: (P, P), what the calibration left unknown of it; None: all but the data sheet.
            free: names of the parameters that are refined; the others stay as they were calibrated.
            samples: a pixel, of the twin that is compared.
            window: frames to which the twin is fitted where it is off; None: the filter alone.
            free_form: the twin's free-form part; None: never one.
        """
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
        # What is not refined stays as well known as it was.
        refined = is_among(twin, set(free))
        self._fixed = start.diagonal() * ~refined
        start = start * (refined[:, None] & refined[None, :])
        self._filter = TwinFilter(self._fine, start)
        self._change_detector = ChangeDetector()
        self._refined, self._since_capture = 0, CAPTURE_EVERY
        self._since_information = 0
        self._last_s = math.nan
        self._window, self.intensity_scale = window, 1.0
        self._free_form, self._exhausted = free_form, False

    @property
    def covariance(self) -> Tensor:
        """Return what is unknown of the twin's parameters, (P, P) float64."""
        return self._filter.covariance

    def refine(
        self,
        inputs: Tensor,
        layers: Tensor,
        measured: Tensor,
        noise_floor: Tensor,
        now_s: float,
        valid: Tensor | None = None,
        probes: Triples | None = None,
    ) -> RefinementResult:
        """Refine the twin by a batch, if it misses more than the frames' noise.

        Args:
            inputs: (B, h, w), as displayed.
            layers: ([B,] N, h, w), as displayed, rad.
            measured: (B, h, w), the bench's answer.
            noise_floor: (B,), as `labdiff.bench.measurement.Measurement` has it.
            now_s: the bench's clock at the end of the batch.
            valid: (B, h, w), False where the camera was saturated; None if it was nowhere.
            probes: frames of probe patterns that were measured with the batch.
        """
        batch = Triples(inputs, layers if layers.dim() == 4 else layers[None], measured, valid)
        compared = _first(FRAMES, batch)
        self._fine.load_alignment(self.twin.state_dict())
        if not math.isnan(self._last_s):
            self._filter.predict(max(now_s - self._last_s, 0.0))
        self._last_s = now_s
        found = self._filter.measured(compared)
        d, floor = float(found.discrepancy.mean()), float(noise_floor[:FRAMES].mean())
        verdict = self._change_detector.check(d, floor, self._filter.expected_discrepancy)
        self._since_capture += 1
        refined = verdict == "expected" and self._exceeds(found.discrepancy, noise_floor[:FRAMES])
        fitted = verdict == "expected" and self._window_fit(compared, probes, d, floor)
        if fitted or (verdict == "expected" and self._take_free_form(batch, d, floor)):
            refined = True
        elif refined and d <= FAR:
            self._filter_step(compared, found)
        elif refined and self._since_capture >= CAPTURE_EVERY:
            self._capture(_first(CAPTURE_FRAMES, batch))
        else:
            refined = False
        trusted, change_point = verdict == "expected", verdict == "change point"
        light = found.light
        scale, offset = float(light.scale.mean()), float(light.offset.mean())
        due = fitted and self._correction_due()
        return RefinementResult(d, floor, refined, trusted, change_point, scale, offset, due)

    def _exceeds(self, discrepancy: Tensor, floor: Tensor) -> bool:
        """Return whether the twin misses more than the frames' noise; True where that is not known."""
        excess = discrepancy.double() - floor.double()
        if bool(excess.isnan().any()) or len(excess) < 2:
            return True
        error = float(excess.std()) / math.sqrt(len(excess))
        return float(excess.mean()) > SIGNIFICANT * error

    def _window_fit(
        self, compared: Triples, probes: Triples | None, discrepancy: float, floor: float
    ) -> bool:
        """Add frames to the window and, if it is time, fit the twin to it; return whether that helped."""
        if self._window is None or (self._free_form is not None and self._free_form.trying):
            return False
        if probes is not None:
            phases = compared.phases.expand(len(compared.inputs), -1, -1, -1)
            compared = Triples.joined([replace(compared, phases=phases), probes])
        if not self._window.add(compared, discrepancy, floor):
            return False
        enough = math.inf if self._free_form is None else NEEDED_ABOVE * floor
        found = self._window.fit(self.twin, self._fine, discrepancy, enough)
        self._exhausted = found is None
        if found is None:
            return False
        self.intensity_scale = found.scale
        misled = (UNRESOLVED_SHARE * prior_sigma(self.twin).double()).square()
        free = found.covariance.diagonal() > 0.0
        self._filter.start_again(found.covariance + torch.diag(misled * free))
        self._refined = 0
        return True

    def _take_free_form(self, batch: Triples, discrepancy: float, floor: float) -> bool:
        """Give a batch to the free-form part; return whether one is learnt, and nothing else then.

        Its phase map follows what drifts too. The filter, which knows frames by their shape alone, would
        lead the twin's light away from the bench's along what it takes for its parameters.
        """
        if self._free_form is None:
            return False
        self._free_form.take(batch, discrepancy, floor, self._exhausted)
        self._exhausted = False
        return self._free_form.trying

    def _correction_due(self) -> bool:
        """Return whether the last fit moved the output plane, or its unit of intensity, by much."""
        height, width = self.twin.geometry.shape
        corner = torch.tensor([width / 2.0, height / 2.0])
        moved = self.twin.output_shear_percent.abs() / 100.0 @ corner
        moved = moved + self.twin.output_shift_px.abs()
        return float(moved.max()) > SHIFTED_PX or abs(self.intensity_scale - 1.0) > SCALED

    @property
    def wants_probes(self) -> bool:
        """Return whether probe frames would help: the twin is far off."""
        if self._window is None or (self._free_form is not None and self._free_form.trying):
            return False
        return self._window.wants_probes

    def corrected(self) -> None:
        """Forget frames of before the bench took registration and unit of intensity over from the twin."""
        self.intensity_scale = 1.0
        if self._window is not None:
            self._window.forget()
        if self._free_form is not None:
            self._free_form.forget_frames()

    def _filter_step(self, compared: Triples, found: FrameComparison) -> None:
        """Make one step of the filter."""
        self._since_information += 1
        astray = self._filter.astray(found) and self._since_information >= INFORMATION_AGAIN
        if astray or self._refined in INFORMATION_AT or self._refined % INFORMATION_EVERY == 0:
            self._filter.take_information(self.twin, compared, found)
            self._since_information = 0
        self._filter.update(compared, found)
        self._refined += 1
        self.twin.load_alignment({n: v.clone() for n, v in self._fine.state_dict().items()})

    def _capture(self, compared: Triples) -> None:
        """Fit the path's parameters to one batch from afar, coarse to fine; the filter restarts there."""
        phases = compared.phases.expand(len(compared.inputs), -1, -1, -1)
        whole = replace(compared, phases=phases)
        prior = prior_around(self.twin)
        for _ in fit_alignment(self.twin, whole, CAPTURE_BLUR_PX, PATH_PARAMETERS, prior):
            pass
        self._filter.forget()
        self._refined, self._since_capture = 0, 0

    def restart(self) -> None:
        """Forget the history: the bench was realigned, and the twin given is up to date."""
        self._filter.forget()
        self._change_detector = ChangeDetector()
        self._refined, self._since_capture, self._last_s = 0, CAPTURE_EVERY, math.nan
        if self._window is not None:
            self._window.restart()
        if self._free_form is not None:
            self._free_form.forget_frames()

    def deviation(self) -> dict[str, float]:
        """Return one standard deviation of each of the alignment's values, named as they are."""
        return self.twin.alignment_deviation(self._filter.covariance + torch.diag(self._fixed))

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs beside the twin's own parameters."""
        counts = [self._refined, self._since_capture, self._since_information]
        own = torch.tensor([*counts, self._last_s], dtype=torch.float64)
        window = {} if self._window is None else self._window.state()
        free_form = {} if self._free_form is None else self._free_form.state()
        return {
            COUNTS: own,
            CHANGES: self._change_detector.state(),
            **self._filter.state(),
            **{WINDOW + name: value for name, value in window.items()},
            **{FREE_FORM + name: value for name, value in free_form.items()},
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Resume from what `state` gave. Raises KeyError if something is missing."""
        *counts, self._last_s = state[COUNTS].tolist()
        self._refined, self._since_capture, self._since_information = (int(n) for n in counts)
        self._change_detector.load_state(state[CHANGES])
        self._filter.load_state(state)
        if self._window is not None:
            self._window.load_state(_part(WINDOW, state))
        if self._free_form is not None:
            self._free_form.load_state(_part(FREE_FORM, state))


def _part(start: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what begins so, without it."""
    return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}


def _first(count: int, batch: Triples) -> Triples:
    """Return the first frames; layers that all images share stay (1, N, h, w)."""
    some = slice(count)
    valid = None if batch.valid is None else batch.valid[some]
    return Triples(batch.inputs[some], batch.phases[some], batch.intensity[some], valid)
