"""Benches on which nothing is wrong: what the calibrations find against the mock's hidden truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from benchmarks.calibrated import bench_file, calibrate, opened
from benchmarks.calibration_checks.truth import Checked, check, unseen_nrmse
from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import laboratory_of, lit
from benchmarks.parts import Outcome, Setting
from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.exposure import set_exposure
from calibration.result import CalibrationError
from drivers.errors import DeviceError
from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import parse_bench
from labdiff.errors import UserError
from labdiff.job import run
from labdiff.sweep.bench_overrides import override_values

FIRST_SEED = 500
"""Seeds below are for building."""
DECADES = tuple(10.0 ** np.arange(-3, 4))


@dataclass(slots=True)
class Found:
    """Errors of one bench against its truth.

    refused, warned: why a routine failed on this healthy bench, and why others did not simply pass.
    """

    refused: str = ""
    warned: tuple[str, ...] = ()
    checked: dict[str, Checked] = field(default_factory=dict)
    saturation_counts: float = 0.0
    hot_pixels_wrong: int = 0
    nrmse: float = 0.0
    frames: int = 0
    exposure_frames: int = 0
    exposures_off: int = 0


def healthy_bench_text(setting: Setting) -> str:
    """Return a bench file whose wavelength is drawn from the deviation that it states."""
    text = bench_file(setting)
    source = parse_bench(text, "bench of the benchmark").source
    error = source.wavelength_sigma_nm / source.wavelength_nm
    return override_values(text, {"mock.beam.wavelength_error": error})


def measure(setting: Setting) -> Outcome:
    """Calibrate random benches and compare what was found with the truth."""
    text = healthy_bench_text(setting)
    found = []
    for number in setting.benches(20):
        seed = FIRST_SEED + number
        found.append(one_bench(text, seed))
        last = found[-1]
        said = "; ".join(filter(None, [last.refused, *last.warned]))
        setting.say(f"bench {seed}: NRMSE {last.nrmse:.3f} {said}")
    return Outcome(claims_of(found), {"benches": [asdict(each) for each in found]})


def exposures(text: str, seed: int) -> tuple[int, int]:
    """Return the most frames that an exposure took over six decades, and how many missed 0.50 ... 0.55."""
    config = parse_bench(text, "bench of the benchmark")
    lab = lit(mock_geometry(config), config.mock, seed)
    lab.laser.power_mw = config.laser.power_mw

    def expose() -> tuple[float, int]:
        before = lab.camera.requests
        routine = set_exposure(lab.camera, lab.world.truth.pedestal_counts, laser=lab.laser)
        fill = run(routine).fill
        return fill, lab.camera.requests - before

    expose()
    right_ms, right_mw = lab.camera.exposure_ms, lab.laser.power_mw
    most, off = 0, 0
    for times in DECADES:
        low, high = lab.camera.exposure_range_ms
        lab.camera.exposure_ms = float(np.clip(times * right_ms, low, high))
        lab.laser.power_mw = right_mw * times * right_ms / lab.camera.exposure_ms
        fill, frames = expose()
        most, off = max(most, frames), off + (not 0.5 <= fill <= 0.55)
    return most, off


def one_bench(text: str, seed: int) -> Found:
    """Compare what all routines find of one bench with its truth."""
    found = Found()
    try:
        known = calibrate(text, seed)
        found.frames, found.warned = known.frames, known.warnings
        with opened(known) as calibrated:
            truth = laboratory_of(calibrated.bench).world.truth
            found.checked = check(calibrated, known.found, known.alignment_s)
            found.nrmse = unseen_nrmse(calibrated)
        match known.found:
            case {"dark level": DarkLevel() as dark, "camera": CameraFound() as camera}:
                hot = {tuple(place) for place in np.argwhere(truth.hot)}
                found.hot_pixels_wrong = len({tuple(place) for place in dark.hot_pixels} ^ hot)
                found.saturation_counts = abs(camera.saturation_counts - (2**12 - 1))
            case _:
                raise TypeError("no dark level and camera among what was found")
    except (CalibrationError, DeviceError, UserError) as error:
        found.refused = str(error)
    found.exposure_frames, found.exposures_off = exposures(text, seed)
    return found


def claims_of(found: list[Found]) -> list[Claim]:
    """Return the claims about healthy benches."""
    good = [each for each in found if not each.refused]

    def worst(name: str) -> float:
        return float(max(abs(each.checked[name].error) for each in good))

    benches = f"{len(found)} benches, worst"
    stated = [c for each in good for c in each.checked.values() if np.isfinite(c.sigma)]
    within = float(np.mean([abs(c.error) <= 2.0 * c.sigma for c in stated]))
    return [
        claim(f"camera gain, {benches}: error, share", worst("gain, share"), "<= 0.02"),
        claim(f"read noise, {benches}: error, share", worst("read noise, share"), "<= 0.05"),
        claim(
            f"saturation level, {benches}: error, counts",
            max(each.saturation_counts for each in found),
            "<= 0",
        ),
        claim(
            f"hot pixels, {benches}: missed or invented",
            max(each.hot_pixels_wrong for each in found),
            "<= 0",
        ),
        claim(f"phase response, {benches}: rms, rad", worst("phase response, rad"), "<= 0.015"),
        claim(
            f"exposure over six decades, {benches}: frames",
            max(each.exposure_frames for each in found),
            "<= 8",
        ),
        claim(
            "exposures outside 0.50 ... 0.55 of full scale",
            max(each.exposures_off for each in found),
            "<= 0",
        ),
        claim(
            f"twin from the calibrations, before any refinement, {benches}: NRMSE of unseen frames",
            max(each.nrmse for each in good),
            "<= 0.15",
        ),
        claim(
            f"frames of all calibrations, {benches}", max(each.frames for each in found), "<= 500"
        ),
        claim("false refusals, of 100 benches", 100.0 * (1.0 - len(good) / len(found)), "<= 2"),
        claim("true values within two stated deviations: at least", within, ">= 0.90"),
        claim("true values within two stated deviations: at most", within, "<= 0.99"),
    ]
