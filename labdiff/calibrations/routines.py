"""The calibrations in their order: how each is measured, what it rests on, and how its result is used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from calibration.beam import BeamFound, measure_beam
from calibration.camera import CameraFound, measure_camera
from calibration.dark import DarkLevel, measure_dark
from calibration.exposure import Exposure, set_exposure
from calibration.frame_noise import FrameNoise
from calibration.phase_response import PhaseResponse, measure_phase_response
from calibration.registration import Registration, measure_registration
from calibration.settling import SettlingFound, measure_settling
from calibration.spots import LensSpots
from calibration.wavefront import Wavefront, measure_wavefront
from labdiff.calibrations.twin_alignment import measure_alignment, use_alignment
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

FLAT_FILL = 0.30
"""Share of full scale that the flat pattern's brightest pixels get: trained layers focus light."""


@dataclass(frozen=True, slots=True)
class Routine:
    """One calibration. rests_on: the routines whose results have to be in use before.

    use: puts a result to work, one just measured or one stored earlier. needed: others rest on it, and
    a failure ends the calibration; without it a failure is kept and shown.
    """

    name: str
    rests_on: tuple[str, ...]
    measure: Callable[[CalibratedBench], Job[Any]]
    use: Callable[[CalibratedBench, Any], None]
    needed: bool = True


def routine(name: str) -> Routine:
    """By name. Raises KeyError."""
    return next(r for r in ROUTINES if r.name == name)


def resting_on(names: set[str]) -> set[str]:
    """These and all that rest on them, directly or not."""
    found = set(names)
    for candidate in ROUTINES:
        if found & set(candidate.rests_on):
            found.add(candidate.name)
    return found


def _measure_dark(calibrated: CalibratedBench) -> Job[DarkLevel]:
    bench = calibrated.bench
    bench.find_packing()
    dark = yield from measure_dark(bench.camera, bench.laser, bench.clock.sleep_s)
    return dataclasses.replace(dark, packing_step=float(bench.packing_step))


def _use_dark(calibrated: CalibratedBench, dark: DarkLevel) -> None:
    calibrated.bench.use_packing(dark.packing_step)
    calibrated.bench.dark = dark


def _measure_registration(calibrated: CalibratedBench) -> Job[Registration]:
    bench, layout = calibrated.bench, calibrated.bench.layout
    pedestal = _pedestal(calibrated)
    bench.camera.roi = bench.whole_sensor
    _open_dmd(calibrated)
    patches = layout.flat()
    patches[-1] = layout.lens((layout.patch_shape[0] - 1) / 2, (layout.patch_shape[1] - 1) / 2)
    bench.show(patches)
    focused = yield from set_exposure(bench.camera, pedestal, laser=bench.laser)
    focused.verdict.require("exposure")
    return (
        yield from measure_registration(bench.slm, bench.camera, layout, pedestal, bench.settle)
    )


def _use_registration(calibrated: CalibratedBench, registration: Registration) -> None:
    calibrated.bench.use_registration(registration)
    calibrated.measured_registration = registration


def _measure_exposure(calibrated: CalibratedBench) -> Job[Exposure]:
    """Exposure for a flat SLM, and the unit of intensity: what the twin says of a flat SLM."""
    bench, layout = calibrated.bench, calibrated.bench.layout
    bench.show(layout.flat())
    exposure = yield from set_exposure(bench.camera, _pedestal(calibrated), FLAT_FILL, bench.laser)
    if exposure.verdict.level == "fail":
        return exposure
    unit = flat_light(calibrated) * bench.counts_per_ms_per_unit
    return dataclasses.replace(exposure, counts_per_ms_per_unit=unit)


def flat_light(calibrated: CalibratedBench) -> float:
    """Mean light of a flat SLM over what the twin says of it: 1 if nothing has changed. One frame."""
    layout = calibrated.bench.layout
    flat = torch.from_numpy(layout.flat())
    dmd = calibrated.bench.dmd is not None
    inputs, layers = (torch.ones_like(flat[:1]), flat) if dmd else (flat[:1], flat[1:])
    written = calibrated.displayed(inputs, layers)
    measured = calibrated.measure(*written)
    with torch.no_grad():
        modelled = calibrated.twin(*written)
    return float(measured.mean() / modelled.mean())


def _use_exposure(calibrated: CalibratedBench, exposure: Exposure) -> None:
    bench = calibrated.bench
    bench.camera.exposure_ms = exposure.exposure_ms
    if 0.0 < exposure.power_mw != bench.laser.power_mw:
        bench.laser.power_mw = exposure.power_mw
    bench.counts_per_ms_per_unit = exposure.counts_per_ms_per_unit


def _measure_camera(calibrated: CalibratedBench) -> Job[CameraFound]:
    calibrated.bench.show(calibrated.bench.layout.flat())
    return (yield from measure_camera(calibrated.bench.camera, _pedestal(calibrated)))


def _use_camera(calibrated: CalibratedBench, camera: CameraFound) -> None:
    """Dead pixels are mended as hot ones are; gain and read noise tell the frames' own noise."""
    bench, dark = calibrated.bench, calibrated.bench.dark
    assert dark is not None
    bench.noise = FrameNoise(camera.gain_electrons, camera.read_noise_counts, camera.step_counts)
    defects = np.unique(np.vstack([dark.hot_pixels, camera.dead_pixels]), axis=0)
    bench.dark = dataclasses.replace(dark, hot_pixels=defects)


def _measure_phase_response(calibrated: CalibratedBench) -> Job[PhaseResponse]:
    bench = calibrated.bench
    return (
        yield from measure_phase_response(
            bench.slm, bench.camera, bench.layout, _pedestal(calibrated), bench.settle
        )
    )


def _use_phase_response(calibrated: CalibratedBench, response: PhaseResponse) -> None:
    calibrated.bench.display.use_phase_response(response.phase_by_grey_rad)


def _measure_settling(calibrated: CalibratedBench) -> Job[SettlingFound]:
    bench = calibrated.bench
    _open_dmd(calibrated)
    return (
        yield from measure_settling(
            bench.slm,
            bench.camera,
            bench.layout,
            _pedestal(calibrated),
            bench.clock.now_s,
            bench.clock.sleep_s,
            bench.display.phase_by_grey_rad,
        )
    )


def _use_settling(calibrated: CalibratedBench, settling: SettlingFound) -> None:
    calibrated.bench.display.use_settling(settling)


def _measure_beam(calibrated: CalibratedBench) -> Job[BeamFound]:
    """After the alignment: a lens that the fringing field blurs focuses less than it should."""
    bench = calibrated.bench
    assert bench.registration is not None
    _open_dmd(calibrated)
    return (
        yield from measure_beam(
            bench.slm,
            bench.camera,
            bench.layout,
            _pedestal(calibrated),
            bench.settle,
            bench.registration,
            float(calibrated.twin.crosstalk_px),
        )
    )


def _measure_wavefront(calibrated: CalibratedBench) -> Job[Wavefront]:
    """Of the light on the last patch, with all that it has met before.

    Its spots are where the registration's were: light that meets the patch at an angle is carried off
    to the side, by some pixels. The alignment, which knows the angle, has moved the bench's registration
    by just that.
    """
    bench = calibrated.bench
    registration = calibrated.measured_registration or bench.registration
    assert registration is not None
    _open_dmd(calibrated)
    middle = (np.array(bench.layout.patch_shape, np.float64) - 1.0) / 2.0
    return (
        yield from measure_wavefront(
            bench.slm,
            bench.camera,
            LensSpots(bench.layout),
            registration,
            _pedestal(calibrated),
            bench.settle,
            middle,
        )
    )


def _open_dmd(calibrated: CalibratedBench) -> None:
    """All mirrors on: what follows looks at what the layers do."""
    bench = calibrated.bench
    if bench.dmd is not None:
        bench.dmd.show(np.ones(bench.layout.patch_shape, np.float32))
        bench.clock.sleep_s(bench.dmd.timing.total_ms / 1e3)


def _pedestal(calibrated: CalibratedBench) -> float:
    assert calibrated.bench.dark is not None
    return calibrated.bench.dark.pedestal_counts


def _only_known(calibrated: CalibratedBench, result: object) -> None:
    """Nothing of the bench is set by it."""


ROUTINES = (
    Routine("dark level", (), _measure_dark, _use_dark),
    Routine("registration", ("dark level",), _measure_registration, _use_registration),
    Routine("exposure", ("dark level", "registration"), _measure_exposure, _use_exposure),
    Routine("camera", ("dark level",), _measure_camera, _use_camera, needed=False),
    Routine("phase response", ("dark level",), _measure_phase_response, _use_phase_response),
    Routine(
        "settling",
        ("dark level", "registration", "phase response"),
        _measure_settling,
        _use_settling,
        needed=False,
    ),
    Routine(
        "wavefront",
        ("registration", "phase response"),
        _measure_wavefront,
        _only_known,
        needed=False,
    ),
    Routine("alignment", ("registration", "phase response"), measure_alignment, use_alignment),
    Routine("beam", ("alignment",), _measure_beam, _only_known, needed=False),
)
ALL = tuple(each.name for each in ROUTINES)
FIRST_LOOK = ("dark level", "registration", "exposure", "camera")
"""What it takes to read the camera at all."""
REST = ("phase response", "alignment")
"""What it takes to predict it."""
