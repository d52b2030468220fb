"""Alignment: gap, tilts, beam and registration, found through the twin before training starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from calibration.alignment_found import AlignmentFound
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import CalibrationError
from calibration.signs import Sign
from calibration.steady_light import SteadyLight
from labdiff.calibrations.alignment_result import (
    LARGEST_DISCREPANCY,
    alignment_found,
    tilt_sigma_mrad,
)
from labdiff.calibrations.alignment_search import (
    CHOSEN_BLUR_PX,
    STAGES,
    ProbeSets,
    Search,
    Searching,
    SearchResult,
    few,
    left_open,
    near,
)
from labdiff.calibrations.alignment_signs import DOUBTED, AlignmentSigns, alignment_signs
from labdiff.calibrations.alignment_validity import probe_alignment
from labdiff.calibrations.light_check import LightCheck
from labdiff.calibrations.prior_conflicts import PriorConflict, conflicts, doubted
from labdiff.calibrations.probe_choice import Candidates, telling_probes
from labdiff.calibrations.ray_alignment import Rays, start_from, trace_rays
from labdiff.calibrations.routine import PATTERNS, Routine
from labdiff.events import AlignmentStep
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.models import build_twin
from twin.alignment_fit import FitStep, Triples
from twin.parameter_vector import load_parameter_vector, parameter_vector, value_names
from twin.prior import Estimate

GOOD_TILT_MRAD = 0.012
"""Largest deviation of an angle with which an alignment ends early."""
GOOD_SHARE = 0.25
"""Largest share of the held-out discrepancy that may come from what is left open, for that."""
MOST_FURTHER = 3
"""How often probes are chosen by what they tell, before all frames of the search are taken."""
SHARP_KINDS = tuple((stage.kind, stage.strength) for stage in STAGES if stage.phase != "coarse")
OF_A_KIND = 4
"""Kinds of the patterns among which is chosen, and number of candidates of each."""
EXPECTED: set[Sign] = {"strong patterns missed"}
"""Signs that benches in order show too: one sample a pixel misses blocks more than what is smooth."""
CHOSEN_SEED = 7000
"""First seed of the candidates among which is chosen."""


class _Fits:
    """The searches of one alignment, on the same frames; they count their steps together."""

    def __init__(self, calibrated: CalibratedBench, rays: Rays) -> None:
        self._calibrated, self._rays = calibrated, rays
        self.light = LightCheck(calibrated)
        self.light.begin_anew()
        self.probes = ProbeSets(self.light.measure_probes)
        self._stages = near(STAGES) if rays.found else STAGES
        self._search = self._new(calibrated.estimates)
        self._done, self._total, self._chosen = 0, 0, 0

    def _new(self, estimates: Mapping[str, Estimate]) -> Search:
        return Search(self._calibrated.twin, self.probes, estimates)

    def begin_anew(self) -> None:
        """Let searches from now on take frames of their own: the bench may have changed in between."""
        self.light.begin_anew()
        self.probes = ProbeSets(self.light.measure_probes, self.probes.number + 1)

    def search(
        self, estimates: Mapping[str, Estimate], note: str = "", with_few: bool = False
    ) -> Job[SearchResult]:
        """Fit the twin from the start, with these estimates of other routines as prior.

        Args:
            estimates: by the names of the values.
            note: what is said of this search before each of its messages.
            with_few: whether a few frames of each stage do.
        """
        self._search = self._new(estimates)
        stages = few(self._stages) if with_few else self._stages
        start = partial(start_from, self._calibrated, self._rays)
        iterations = sum(len(stage.blur_px) for stage in stages)
        return (yield from self._shown(self._search.through(stages, start), iterations, note))

    def further(self, result: SearchResult) -> Job[SearchResult]:
        """Fit the twin to a few further probes too, which tell most of what is open."""
        steps = self._search.further(result.fit, partial(self._choose, result.held_out_d))
        return (yield from self._shown(steps, len(CHOSEN_BLUR_PX), ""))

    def _choose(self, discrepancy: float, fit: FitStep, count: int) -> Triples:
        self._chosen += 1
        candidates = Candidates(SHARP_KINDS, OF_A_KIND, CHOSEN_SEED + self._chosen)
        covariance = fit.covariance.double()
        return self.light.measure_chosen(
            telling_probes(self._calibrated, candidates, covariance, discrepancy, count)
        )

    def _shown(self, steps: Searching, iterations: int, note: str) -> Job[SearchResult]:
        self._total += iterations + 1
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                result: SearchResult = end.value
                break
            d = step.fit.discrepancy
            yield self._step(d, f"{note}{step.kind}, D {d:.4f}", step.frames.intensity[0].numpy())
        d = result.held_out_d
        yield self._step(d, f"{note}check frames, mismatch {d:.4f}")
        return result

    def _step(
        self, d: float, message: str, picture: npt.NDArray[np.float32] | None = None
    ) -> AlignmentStep:
        self._done += 1
        twin = self._calibrated.twin
        return AlignmentStep(self._done - 1, self._total, d, twin.alignment(), message, picture)

    def signs(self, steady: SteadyLight) -> AlignmentSigns:
        """Return the signs in all frames; steady: what they tell of the light."""
        light = self.light
        return alignment_signs(
            self._calibrated.twin, light.probes, steady, LARGEST_DISCREPANCY, light.before
        )

    def plausible(self, result: SearchResult) -> bool:
        """Return whether the few frames so far are predicted, and agree with the priors."""
        calibrated = self._calibrated
        agreed = not doubted(calibrated.twin, result.fit, calibrated.contributions)
        return agreed and result.held_out_d <= DOUBTED

    def good(self, result: SearchResult) -> bool:
        """Return whether nothing was noticed, and further probes would tell nothing that matters."""
        return self._precise(result) and not self._noticed(result)

    def _noticed(self, result: SearchResult) -> bool:
        twin = self._calibrated.twin
        steady, _ = self.light.found(twin, dark_change=0.0)
        steady = dataclasses.replace(steady, offset=steady.offset / result.unit)
        seen = set(self.signs(steady).signs) - EXPECTED
        return steady.verdict().level != "pass" or bool(seen)

    def _precise(self, result: SearchResult) -> bool:
        calibrated = self._calibrated
        twin, layers = calibrated.twin, calibrated.config.layers
        covariance = result.fit.covariance.double().numpy()
        # The last angle is a shift of the image too.
        angles = tilt_sigma_mrad(value_names(twin), covariance, layers)[:-1]
        if not float(angles.max(initial=0.0)) <= GOOD_TILT_MRAD:
            return False
        return left_open(twin, result, self.probes.held_out()) <= GOOD_SHARE


def _measure(calibrated: CalibratedBench) -> Job[AlignmentFound]:
    """Fit the twin to probe patterns, and correct the registration by what it found.

    The search starts from the data sheet, the rays and what other routines found of the twin, which is the
    fit's prior. What the frames contradict of it is left out, and named in the verdict. The twin is left as
    it was: `_apply` brings it up to date. The verdict is "fail" if the aligned twin does not predict
    patterns that were not fitted, or if light or dark level were not steady.
    """
    twin = calibrated.twin
    before = parameter_vector(twin)
    fits = _Fits(calibrated, (yield from trace_rays(calibrated)))
    result, dropped = yield from _until_good(calibrated, fits)
    held_out, unit = fits.probes.held_out(), result.unit
    dark_change = yield from fits.light.dark_change()
    steady, frames = fits.light.found(twin, dark_change)
    signs = fits.signs(steady)
    probe = held_out.inputs[:1], held_out.phases[0]
    with torch.no_grad():
        after = unit * twin(*probe)[0]
        by_data_sheet = unit * build_twin(calibrated.config)(*probe)[0]
    found = dataclasses.replace(
        alignment_found(calibrated, result, steady, dropped, signs),
        probe_measured=held_out.intensity[0].numpy(),
        probe_before=by_data_sheet.numpy(),
        probe_after=after.numpy(),
        frame_scale=frames.scale.numpy() / unit,
        frame_offset=frames.offset.numpy() / unit,
    )
    load_parameter_vector(twin, before)
    return found


def _until_good(
    calibrated: CalibratedBench, fits: _Fits
) -> Job[tuple[SearchResult, list[PriorConflict]]]:
    """Search with few frames, then with probes chosen by what they tell, until that is good enough.

    What is noticed on the way and does not go away, or is still open at the end, is decided by a whole
    search, on frames of its own. Returns the search that counts, and the priors that it left out.
    """
    if not calibrated.config.calibration.thorough:
        result = yield from fits.search(calibrated.estimates, with_few=True)
        for number in range(MOST_FURTHER + 1):
            if not fits.plausible(result):
                break
            if fits.good(result):
                return result, []
            if number < MOST_FURTHER:
                result = yield from fits.further(result)
        fits.begin_anew()
    return (yield from _without_wrong_priors(calibrated, fits))


def _without_wrong_priors(
    calibrated: CalibratedBench, fits: _Fits
) -> Job[tuple[SearchResult, list[PriorConflict]]]:
    """Search with all that routines have contributed; again without what the frames contradict.

    The second one counts if it contradicts them and predicts the held-out frames better. Returns the one
    that counts, and what it left out.
    """
    twin, estimates = calibrated.twin, calibrated.estimates
    contributions = calibrated.contributions
    result = yield from fits.search(estimates)
    doubts = doubted(twin, result.fit, contributions)
    if not doubts and not result.held_out_d <= LARGEST_DISCREPANCY:
        doubts = set(estimates)
    if not doubts:
        return result, []
    first, reached = result, parameter_vector(twin)
    agreed = {name: each for name, each in estimates.items() if name not in doubts}
    result = yield from fits.search(agreed, f"without the prior on {', '.join(sorted(doubts))}: ")
    left_out = {
        routine: {name: each for name, each in values.items() if name in doubts}
        for routine, values in contributions.items()
    }
    contradicted = conflicts(twin, result.fit, left_out)
    if contradicted and result.held_out_d < first.held_out_d:
        return result, contradicted
    load_parameter_vector(twin, reached)
    return first, []


def _apply(calibrated: CalibratedBench, found: AlignmentFound) -> None:
    """Apply twin, registration and unit of intensity as the alignment found them; tilts go onto the SLM.

    Raises CalibrationError if the alignment is of a twin with other parameters.
    """
    twin, bench = calibrated.twin, calibrated.bench
    if found.names != value_names(twin):
        raise CalibrationError(
            "alignment: stored by a version whose twin has other parameters; run "
            "labdiff calibrate --only alignment"
        )
    load_parameter_vector(twin, torch.from_numpy(found.value).float())
    bench.use_registration(
        dataclasses.replace(
            calibrated.registration,
            matrix=found.registration_matrix,
            offset=found.registration_offset,
        )
    )
    bench.counts_per_ms_per_unit = found.counts_per_ms_per_unit
    covariance = found.covariance if found.covariance.size else np.diag(found.sigma**2)
    calibrated.covariance = torch.from_numpy(covariance)
    calibrated.precompensate()


ALIGNMENT = Routine(
    AlignmentFound,
    _measure,
    depends_on=(Registration, PhaseResponse),
    apply=_apply,
    validity_probe=probe_alignment,
    purpose="prediction",
    fits_twin=True,
    needs=PATTERNS,
)
