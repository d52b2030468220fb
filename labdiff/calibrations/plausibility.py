"""Ranges in which what a routine found has to lie, whatever its own check says of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calibration.alignment_found import LEAST_TOLD, AlignmentFound
from calibration.beam import BeamFound
from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.result import CalibrationResult, Level, Verdict
from calibration.result_file import Result
from calibration.settling import SettlingFound
from calibration.signs import Sign
from calibration.wavefront import Wavefront
from labdiff.config.bench import BenchConfig
from twin.parameters import ALIGNMENT_PARAMETERS

MOST_SIGMAS = 5.0
"""Prior deviations by which a parameter of the twin may be off its data sheet."""
FAR_PERCENT = 4.0
"""Difference of the gap by light from the bench file's, beyond which something in the file is wrong."""
ANY = math.inf


@dataclass(frozen=True, slots=True)
class Expected:
    """A number that was found, and where it may lie.

    name: what it is, as a message begins. value: NaN if it was not found. expected: lowest and highest
    without a warning; possible: without a failure. remedy: what to look at. unit: after the number.
    sign: what it is a sign of, if it lies elsewhere.
    """

    name: str
    value: float
    expected: tuple[float, float]
    possible: tuple[float, float]
    remedy: str
    unit: str = ""
    sign: Sign | None = None

    @property
    def level(self) -> Level:
        """Return the level of the verdict on this number."""
        if math.isnan(self.value) or self.expected[0] <= self.value <= self.expected[1]:
            return "pass"
        return "warn" if self.possible[0] <= self.value <= self.possible[1] else "fail"

    @property
    def message(self) -> str:
        """Return what was found and what is expected, in words."""
        low, high = self.expected
        limits = f"{low:.3g} ... {high:.3g}" if low > -ANY else f"at most {high:.3g}"
        return f"{self.name} {self.value:.3g}{self.unit} is not plausible (expected {limits})"


def with_plausibility(result: Result, config: BenchConfig) -> Result:
    """Return a result whose verdict takes into account whether its numbers can be.

    Args:
        result: as its routine found it; one of an unknown type, or that failed, is returned as it is.
        config: the bench file, by which it is judged.
    """
    verdict = result.verdict
    if verdict.level == "fail":
        return result
    wrong = [each for each in expectations(result, config) if each.level != "pass"]
    if not wrong:
        return result
    wrong.sort(key=lambda each: each.level != "fail")
    level = wrong[0].level
    implausible = "; ".join(each.message for each in wrong)
    remedies = list(dict.fromkeys([each.remedy for each in wrong] + [verdict.remedy]))
    signs = list(dict.fromkeys([*verdict.signs, *(each.sign for each in wrong if each.sign)]))
    reason, remedy = f"{verdict.reason}; {implausible}", " ".join(filter(None, remedies))
    changed = Verdict(level, reason, remedy, tuple(signs))
    return dataclasses.replace(result, verdict=changed)


def expectations(result: CalibrationResult, config: BenchConfig) -> Iterator[Expected]:
    """Yield the numbers of a result that show whether something is wrong, with their ranges."""
    match result:
        case DarkLevel():
            yield from _of_dark_level(result, config)
        case Registration():
            yield from _of_registration(result, config)
        case CameraFound():
            yield from _of_camera(result, config)
        case PhaseResponse():
            stroke = result.phase_by_grey_rad[-1] / np.pi
            yield Expected(
                "the phase stroke",
                float(stroke),
                (1.5, 6.0),
                (0.2, 30.0),
                "Is the SLM's table made for this wavelength, and its polarisation right?",
                " pi",
            )
            yield Expected(
                "a scatter of the frames' brightness of",
                result.brightness_scatter,
                (-ANY, 0.005),
                (-ANY, 0.5),
                "Let the laser warm up; look for mode hops and reflections back into it.",
                sign="brightness scatters",
            )
        case SettlingFound():
            yield Expected(
                "the time to settle",
                result.settle_ms,
                (-ANY, 2000.0),
                (-ANY, 5000.0),
                "Is the panel warm, and does it show patterns as soon as they are sent?",
                " ms",
            )
        case Wavefront():
            yield Expected(
                "the Strehl ratio of the flat SLM",
                result.strehl,
                (0.02, 1.05),
                (0.0, 2.0),
                "Is the light on the last patch steady, and nothing saturated?",
            )
        case BeamFound():
            yield from _of_beam(result, config)
        case AlignmentFound():
            yield from _of_alignment(result)


def _of_dark_level(found: DarkLevel, config: BenchConfig) -> Iterator[Expected]:
    height, width = config.camera.shape
    yield Expected(
        "a share of hot pixels of",
        len(found.hot_pixels) / (height * width),
        (-ANY, 1e-3),
        (-ANY, 0.02),
        "Does light reach the camera with the laser off? Cool the sensor or shorten the exposure.",
        sign="hot pixels",
    )
    yield Expected(
        "read noise of",
        found.read_noise_counts / 2**config.camera.bit_depth,
        (-ANY, 0.02),
        (-ANY, 0.2),
        "Is camera.bit_depth right, automatic gain off, and no light flickering?",
        " of full scale",
    )


def _of_registration(found: Registration, config: BenchConfig) -> Iterator[Expected]:
    stretches = np.linalg.svd(found.matrix, compute_uv=False) if _finite(found) else [math.nan] * 2
    remedy = "Check relay.magnification and both pixel_pitch_um in the bench file."
    yield Expected(
        "an image whose size over the bench file's is",
        size_over_nominal(found, config),
        (0.8, 1.25),
        (0.4, 2.5),
        remedy,
        sign="size of the image",
    )
    yield Expected(
        "an image stretched in one direction by",
        float(stretches[0] / stretches[1]),
        (-ANY, 1.1),
        (-ANY, 1.5),
        "Is the camera square to the light, and no cylindrical lens or wedge in the relay?",
    )


def size_over_nominal(found: Registration, config: BenchConfig) -> float:
    """Return how large the image of the output plane is, over what the bench file says; NaN if unknown."""
    if not _finite(found):
        return math.nan
    nominal = config.relay.magnification * config.slm.pixel_pitch_um / config.camera.pixel_pitch_um
    return math.sqrt(abs(float(np.linalg.det(found.matrix)))) / nominal


def _finite(found: Registration) -> bool:
    return bool(np.isfinite(found.matrix).all()) and bool(np.linalg.det(found.matrix))


def _of_camera(found: CameraFound, config: BenchConfig) -> Iterator[Expected]:
    height, width = config.camera.shape
    settings = "Are the camera's gain, gamma, noise filter and binning as they should be?"
    yield Expected(
        "a full well of",
        found.gain_electrons * found.saturation_counts / found.step_counts,
        (300.0, 1e6),
        (10.0, 1e8),
        settings,
        " electrons",
    )
    yield Expected(
        "read noise of",
        found.gain_electrons * found.read_noise_counts / found.step_counts,
        (-ANY, 300.0),
        (-ANY, 1e4),
        settings,
        " electrons",
    )
    yield Expected(
        "a share of dead pixels of",
        len(found.dead_pixels) / (height * width),
        (-ANY, 1e-3),
        (-ANY, 0.05),
        "Is there dust on the sensor, or something between the planes and the camera?",
        sign="dead pixels",
    )


def _of_beam(found: BeamFound, config: BenchConfig) -> Iterator[Expected]:
    for axis, waist_um in zip("xy", found.waist_um, strict=True):
        yield Expected(
            f"a waist in {axis} over the bench file's of",
            float(waist_um) / (1e3 * config.source.waist_mm),
            (0.7, 1.4),
            (0.2, 5.0),
            "Check waist_mm in the bench file and the beam expander.",
        )


def _of_alignment(found: AlignmentFound) -> Iterator[Expected]:
    """Yield the parameters that the frames tell: none should be far outside of what data sheets allow."""
    records = {record.name: record for record in ALIGNMENT_PARAMETERS}
    values = zip(found.names, found.value, found.sigma, found.told, strict=True)
    for name, value, sigma, told in values:
        record = records.get(name.partition("[")[0])
        if record is None or sigma <= 0.0 or told < LEAST_TOLD:
            continue
        reach = MOST_SIGMAS * record.prior_sigma
        start = record.data_sheet if record.search_start is None else record.search_start
        low, high = min(record.data_sheet, start) - reach, max(record.data_sheet, start) + reach
        if name == "z_gap_percent":
            yield _path(float(value))
            continue
        yield Expected(
            f"{name} =",
            float(value),
            (low, high),
            (-ANY, ANY),
            "Check the distances, pitches and the wavelength in the bench file.",
        )


def _path(percent: float) -> Expected:
    """Return the number of the path by light: gap * wavelength / pitch^2, over the bench file's."""
    return Expected(
        "z_gap_percent =",
        percent,
        (-FAR_PERCENT, FAR_PERCENT),
        (-ANY, ANY),
        "Light tells wavelength * gap / pitch^2, not which of them differs from the bench file.",
        sign="path off",
    )
