"""What an alignment found, as a calibration result with its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from calibration.alignment_found import AlignmentFound
from calibration.result import Verdict
from calibration.steady_light import SteadyLight
from labdiff.calibrations.alignment_search import SearchResult
from labdiff.calibrations.alignment_signs import AlignmentSigns, parameter_signs
from labdiff.calibrations.prior_conflicts import PriorConflict
from labdiff.calibrations.registration_correction import take_registration_correction
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.models import asserted_deviations
from twin.asserted import asserted_covariance, wavelength_gap_px2
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import parameter_vector, unresolved_sigma, value_names

Array = npt.NDArray[np.float64]
LARGEST_DISCREPANCY = 0.03
"""Largest discrepancy on probes that were not fitted with which an alignment is used."""


def alignment_found(
    calibrated: CalibratedBench,
    result: SearchResult,
    light: SteadyLight,
    dropped: Sequence[PriorConflict],
    seen: AlignmentSigns,
) -> AlignmentFound:
    """Return all parameters with their deviations; the verdict names those that the frames do not tell.

    The twin's shift and shear of the output plane go to the registration, where they belong.

    Args:
        calibrated: the bench, its twin as the fit left it.
        result: of the search.
        light: what the frames show of offsets, power and gain.
        dropped: priors that the frames contradict, and that were left out.
        seen: signs in the frames, and where the twin misses them.
    """
    twin, bench, fit = calibrated.twin, calibrated.bench, result.fit
    registration = take_registration_correction(calibrated)
    names = value_names(twin)
    value, share = (t.double().numpy() for t in (parameter_vector(twin), fit.measured_share))
    of_frames = fit.covariance.double().numpy()
    covariance = _with_unresolved(twin, of_frames)
    asserted = asserted_covariance(twin, asserted_deviations(calibrated.config)).numpy()
    fitted = np.outer(of_frames.diagonal() > 0.0, of_frames.diagonal() > 0.0)
    asserted = np.where(fitted, asserted, 0.0)
    sigma = np.sqrt(np.maximum((covariance + asserted).diagonal(), 0.0))
    gap_px2, gap_percent = wavelength_gap_px2(twin), names.index("z_gap_percent")
    gap_share = np.sqrt(covariance[gap_percent, gap_percent]) / (100.0 + value[gap_percent])
    found = AlignmentFound(
        names=names,
        value=value,
        sigma=sigma,
        told=share,
        tilt_mrad=1e3 * twin.planes_tilt_rad().double().numpy(),
        tilt_sigma_mrad=tilt_sigma_mrad(names, of_frames + asserted, calibrated.config.layers),
        registration_matrix=registration.matrix,
        registration_offset=registration.offset,
        counts_per_ms_per_unit=bench.counts_per_ms_per_unit * result.unit,
        held_out_d=result.held_out_d,
        verdict=Verdict("pass", f"mismatch {result.held_out_d:.4f} on check frames"),
        covariance=covariance,
        light_offset=light.offset / result.unit,
        light_scale_scatter=light.scale_scatter,
        power_scatter=light.power_scatter,
        power_minute=light.power_minute,
        gain_exponent=light.gain_exponent,
        dark_change=light.dark_change,
        clipped_light=light.clipped,
        wavelength_gap_px2=gap_px2,
        wavelength_gap_sigma_px2=float(gap_px2 * gap_share),
        residual_mean=seen.residual,
        patch_sureness=seen.sureness,
    )
    of_light = dataclasses.replace(light, offset=light.offset / result.unit)
    verdict = _verdict(found, of_light, dropped)
    side_px = max(calibrated.config.cavity.patch_shape)
    signs = tuple(dict.fromkeys([*seen.signs, *parameter_signs(found, side_px)]))
    places = f"; missed in all frames: {seen.patches}" if "places on a patch" in signs else ""
    verdict = dataclasses.replace(verdict, reason=f"{verdict.reason}{places}", signs=signs)
    if verdict.level == "pass" and "frames after a moment" in signs:
        verdict = dataclasses.replace(
            verdict,
            level="warn",
            reason=f"{verdict.reason}; frames from before a moment are missed: something has moved",
            remedy="Let the mounts rest, then run labdiff calibrate --all.",
        )
    return dataclasses.replace(found, verdict=verdict)


def _with_unresolved(twin: DigitalTwin, covariance: Array) -> Array:
    """Return the fit's covariance (P, P) with what one sample a pixel cannot resolve added."""
    unresolved = torch.diag(unresolved_sigma(twin).double().square()).numpy()
    whole: Array = covariance + unresolved
    return whole


def tilt_sigma_mrad(names: tuple[str, ...], covariance: Array, layers: int) -> Array:
    """Return the angles' deviations: mirror and bounce are determined much better together than apart.

    Args:
        names: of the twin's values.
        covariance: (P, P), of the values.
        layers: number N of them.

    Returns:
        (N + 1, 2), mrad.
    """
    sigma = np.zeros((layers + 1, 2))
    for axis in range(2):
        beam, mirror = (names.index(f"d_alpha_{n}_mrad[{axis}]") for n in ("beam", "mirror"))
        sigma[0, axis] = np.sqrt(covariance[beam, beam])
        for layer in range(layers):
            both = [mirror, names.index(f"bounce_tilt_mrad[{2 * layer + axis}]")]
            sigma[layer + 1, axis] = np.sqrt(max(covariance[np.ix_(both, both)].sum(), 0.0))
    return sigma


def _verdict(
    found: AlignmentFound, light: SteadyLight, dropped: Sequence[PriorConflict]
) -> Verdict:
    if not found.held_out_d <= LARGEST_DISCREPANCY:
        # Frames that the twin does not predict tell nothing of offsets and scales.
        dark = SteadyLight(dark_change=light.dark_change, clipped=light.clipped).verdict()
        missed = (
            f"the aligned twin misses check frames by D = {found.held_out_d:.3f} (allowed "
            f"{LARGEST_DISCREPANCY})"
        )
        if dark.level == "fail":
            return dataclasses.replace(dark, reason=f"{missed}; {dark.reason}")
        return Verdict(
            "fail",
            missed,
            "Check z_gap_mm, waist_mm and patch_lefts in the bench file, and that nothing clips the "
            "beam.",
        )
    steady = light.verdict()
    if steady.level == "fail":
        return steady
    reason = f"mismatch camera vs. twin {found.held_out_d:.4f} on check frames; {steady.reason}"
    if dropped:
        routines = sorted({routine for conflict in dropped for routine in conflict.routines})
        remedy = f"Measure {' and '.join(routines)} again, or state a wider deviation there."
        return Verdict(
            "warn",
            f"{reason}; the light contradicts what was measured apart, which was left out: "
            f"{'; '.join(map(str, dropped))}",
            f"{remedy} {steady.remedy}".rstrip(),
        )
    if found.untold:
        fitted = int((found.sigma > 0.0).sum())
        reason += (
            f"; of {fitted} parameters the frames do not tell {len(found.untold)} from others: "
            f"{', '.join(found.untold)}"
        )
    return Verdict(steady.level, reason, steady.remedy)
