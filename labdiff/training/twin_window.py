"""The latest frames, and the fit of the twin to them where steps of a filter would be too slow."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy
from twin.frame_light import frame_light
from twin.parameter_vector import load_parameter_vector, parameter_vector, start_searches
from twin.parameters import PATH_PARAMETERS, free_in
from twin.prior import data_sheet_prior, prior_around

FIT_ABOVE = 1.5
"""Multiple of the noise floor above which D calls for a fit."""
PROBE_ABOVE = 3.0
"""Multiple of the noise floor above which D calls for probe frames: layers alone tell too little."""
LEAST_WAIT = 2
"""Number of steps after a fit before the next one; each further fit waits twice as long."""
AT_ONCE = 3
"""Number of fits after which D has to have grown for another one."""
GROWN, GROWN_MUCH = 1.3, 3.0
"""Factors over what the last fit has left, by which D calls for another one, and for one at once."""
FAR, NEAR = 0.1, 0.01
"""Discrepancies from which on a fit begins blurred: a lot, and a little."""
FAR_BLUR_PX, NEAR_BLUR_PX, SHARP_BLUR_PX = (8.0, 8.0, 6.0, 5.0, 4.0, 3.0), (5.0, 4.0), (2.0, 0.0)
"""Blur of each iteration: of the path's parameters from afar, from near, then of all parameters."""
HELPED = 0.5
"""Share of D that a fit has to leave at most, where it leaves much."""
CHORD_STEPS = 5
"""Iterations of the finer twin on the one Jacobian."""
PRIOR_SHARE = 1e-4
"""Weight of the prior in the last fits: only what frames cannot tell apart is left to it."""


@dataclass(frozen=True, slots=True)
class WindowFit:
    """What a fit found beside the twin's parameters.

    covariance: (P, P) of the parameters. scale: measured intensity over modelled, mean of the frames, of a
    twin that had never been aligned; 1 of any other.
    """

    covariance: Tensor
    scale: float


class TwinWindow:
    """A sliding window of frames to which the twin is fitted by Levenberg-Marquardt.

    A filter takes every frame once, with the slopes where the twin then was; far off these are wrong, and
    what it takes for known by them keeps it from getting there. A fit takes the same few frames several
    times, each time with new slopes, as the calibration of the alignment does.
    """

    def __init__(
        self,
        frames: int,
        searching: bool = False,
        free: Collection[str] = free_in("finest"),
    ) -> None:
        """Begin without frames.

        Args:
            frames: the latest that it holds.
            searching: the twin has never been aligned: details begin where their search starts.
            free: names of the parameters that are fitted.
        """
        self._most, self._free = frames, frozenset(free)
        self._frames: Triples | None = None
        self._searching = searching
        self._since, self._wait, self._fits = 0, 0, 0
        self._left = math.nan
        self._wants_probes = searching

    @property
    def wants_probes(self) -> bool:
        """Return whether probe frames would help: the twin is far off."""
        return self._wants_probes

    def add(self, frames: Triples, discrepancy: float, floor: float) -> bool:
        """Add the frames of a step; return whether the twin is to be fitted now.

        Args:
            frames: of this step; layers that all images share are (1, N, h, w).
            discrepancy: mean D of the training frames among them.
            floor: mean D of a perfect twin, by the frames' noise; NaN if it is not known.
        """
        over = discrepancy / max(floor, 1e-9)
        self._since += 1
        if math.isnan(self._left) and self._wait:
            self._left = over  # the first comparison after a fit
        elif over > GROWN_MUCH * self._left:
            # As with every new layer set: one fit at once, and not all those of a twin that is new.
            self._wait, self._fits = min(self._wait, LEAST_WAIT), min(self._fits, AT_ONCE - 1)
        useful = self._fits < AT_ONCE or over > GROWN * self._left
        due = useful and self._since >= self._wait
        # Probes are of use to the next fit of all the path, and come with one of the next two batches.
        soon = useful and not due and self._since + 2 >= self._wait
        soon = soon and self._free >= PATH_PARAMETERS
        self._wants_probes = over > PROBE_ABOVE and soon
        if not over > FIT_ABOVE:
            self._frames = None
            return False
        phases = frames.phases.expand(len(frames.inputs), -1, -1, -1)
        whole = Triples(frames.inputs, phases, frames.intensity, frames.valid)
        parts = [whole] if self._frames is None else [self._frames, whole]
        self._frames = latest(self._most, Triples.joined(parts))
        return due

    def fit(
        self, twin: DigitalTwin, fine: DigitalTwin, discrepancy: float, enough: float = math.inf
    ) -> WindowFit | None:
        """Fit a twin and the same with more samples a pixel; None, and nothing changed, if it did not help.

        Args:
            twin: gives the slopes.
            fine: is compared with the frames.
            discrepancy: mean D of the latest frames, which says how far off the twin is.
            enough: mean D above which a fit that takes away less than half of it did not help: then the
                parameters only bend towards what they do not describe. It does not count for the first
                fit of a twin that has never been aligned.
        """
        frames = self._frames
        if frames is None:
            raise ValueError("the window holds no frames")
        self._since, self._wait, self._fits = 0, max(2 * self._wait, LEAST_WAIT), self._fits + 1
        self._left = math.nan
        before, missed = parameter_vector(twin), _mean_discrepancy(fine, frames)
        path_blur_px: Sequence[float] = FAR_BLUR_PX if discrepancy > FAR else ()
        if NEAR < discrepancy <= FAR:
            path_blur_px = NEAR_BLUR_PX
        prior = prior_around(twin) if not self._searching else data_sheet_prior(twin)
        for _ in fit_alignment(twin, frames, path_blur_px, PATH_PARAMETERS & self._free, prior):
            pass
        if self._searching:
            start_searches(twin, "detailed")
        prior = prior_around(twin, PRIOR_SHARE)
        if self._searching:
            prior = data_sheet_prior(twin, PRIOR_SHARE)
        free = self._free
        if discrepancy > NEAR:
            for _ in fit_alignment(twin, frames, SHARP_BLUR_PX, free, prior):
                pass
        chords = [0.0] * CHORD_STEPS
        covariance = torch.zeros(len(before), len(before))
        for step in fit_alignment(twin, frames, chords, free, prior, 1e-2, True, fine):
            covariance = step.covariance
        left = _mean_discrepancy(fine, frames)
        bent = left > enough and left > HELPED * missed and not self._searching
        if bent or not left < missed:
            load_parameter_vector(twin, before)
            load_parameter_vector(fine, before)
            return None
        # Later fits leave the unit alone, by which layers have learnt: normalised frames do not tell it,
        # and the twin's own light wanders by some per cent from fit to fit.
        scale = 1.0
        if self._searching:
            with torch.no_grad():
                modelled = fine(frames.inputs, frames.phases)
            scale = float(frame_light(frames.intensity, modelled, frames.valid).scale.mean())
        self._searching = False
        return WindowFit(covariance.double(), scale)

    def forget(self) -> None:
        """Forget the frames: the bench's registration is another one now."""
        self._frames = None

    def restart(self) -> None:
        """Forget all history: the bench was realigned."""
        self._frames, self._left = None, math.nan
        self._since, self._wait, self._fits, self._wants_probes = 0, 0, 0, False

    def state(self) -> dict[str, Tensor]:
        """Return all that resuming needs."""
        counts = [self._since, self._wait, self._fits, self._searching, self._wants_probes]
        own = torch.tensor([self._left, *map(float, counts)], dtype=torch.float64)
        state = {"counts": own}
        frames = self._frames
        if frames is not None:
            state |= {
                "inputs": frames.inputs,
                "phases": frames.phases,
                "intensity": frames.intensity,
            }
            if frames.valid is not None:
                state["valid"] = frames.valid
        return {name: value.clone() for name, value in state.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Resume from what `state` gave; a state without anything is of a run without a window."""
        if "counts" not in state:
            return
        self._left, *counts = state["counts"].tolist()
        self._since, self._wait, self._fits, searching, probes = (int(n) for n in counts)
        self._searching, self._wants_probes = bool(searching), bool(probes)
        self._frames = None
        if "inputs" in state:
            valid = state.get("valid")
            self._frames = Triples(
                state["inputs"].clone(),
                state["phases"].clone(),
                state["intensity"].clone(),
                None if valid is None else valid.clone().bool(),
            )


def latest(count: int, frames: Triples) -> Triples:
    """Return the last of some frames, which all have their own layers."""
    last = slice(-count, None)
    valid = None if frames.valid is None else frames.valid[last]
    return Triples(frames.inputs[last], frames.phases[last], frames.intensity[last], valid)


def _mean_discrepancy(twin: DigitalTwin, frames: Triples) -> float:
    with torch.no_grad():
        modelled = twin(frames.inputs, frames.phases)
    return float(discrepancy(frames.intensity, modelled, frames.valid).mean())
