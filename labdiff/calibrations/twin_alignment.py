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
from labdiff.calibrations.alignment_result import LARGEST_DISCREPANCY, alignment_found
from labdiff.calibrations.alignment_search import STAGES, ProbeSets, SearchResult, near, search
from labdiff.calibrations.alignment_signs import alignment_signs
from labdiff.calibrations.alignment_validity import probe_alignment
from labdiff.calibrations.light_check import LightCheck
from labdiff.calibrations.prior_conflicts import PriorConflict, conflicts, doubted
from labdiff.calibrations.ray_alignment import Rays, start_from, trace_rays
from labdiff.calibrations.routine import PATTERNS, Routine
from labdiff.events import AlignmentStep
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.models import build_twin
from twin.parameter_vector import load_parameter_vector, parameter_vector, value_names
from twin.prior import Estimate


class _Fits:
    """The searches of one alignment, on the same frames; they count their steps together."""

    def __init__(self, calibrated: CalibratedBench, rays: Rays) -> None:
        self._calibrated, self._rays = calibrated, rays
        self.light = LightCheck(calibrated)
        self.probes = ProbeSets(self.light.measure_probes)
        self._stages = near(STAGES) if rays.found else STAGES
        self._done, self._total = 0, 0

    def search(self, estimates: Mapping[str, Estimate], note: str = "") -> Job[SearchResult]:
        """Fit the twin from the start, with these estimates of other routines as prior.

        note: what is said of this search before each of its messages.
        """
        twin = self._calibrated.twin
        self._total += sum(len(stage.blur_px) for stage in self._stages) + 1
        start = partial(start_from, self._calibrated, self._rays)
        steps = search(twin, self.probes, estimates, self._stages, start)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                result: SearchResult = end.value
                break
            d = step.fit.discrepancy
            message = f"{note}{step.stage.kind} probes, D {d:.4f}"
            yield self._step(d, message, step.frames.intensity[0].numpy())
        d = result.held_out_d
        yield self._step(d, f"{note}held-out probes, D {d:.4f}")
        return result

    def _step(
        self, d: float, message: str, picture: npt.NDArray[np.float32] | None = None
    ) -> AlignmentStep:
        self._done += 1
        twin = self._calibrated.twin
        return AlignmentStep(self._done - 1, self._total, d, twin.alignment(), message, picture)


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
    result, dropped = yield from _without_wrong_priors(calibrated, fits)
    held_out, unit = fits.probes.held_out(), result.unit
    fits.light.repeat()
    dark_change = yield from fits.light.dark_change()
    steady, frames = fits.light.found(twin, dark_change)
    signs = alignment_signs(twin, fits.light.probes, steady, LARGEST_DISCREPANCY)
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
