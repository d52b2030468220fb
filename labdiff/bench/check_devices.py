"""Open each device of a bench file by itself, and compare what it is with what the bench file declares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np

from calibration.phase_response import SHORT_REMEDY, missing_share
from drivers.absent import NONE
from drivers.errors import DeviceError, LaserMayBeOnError
from drivers.protocols import SLM, Camera, Device, InputModulator, Laser
from labdiff.bench.bench_safety import note_laser_that_may_be_on, opened_dark
from labdiff.bench.lit_note import laser_place
from labdiff.bench.mock_bench import MOCK
from labdiff.bench.openers import (
    camera_opener,
    declared_phases,
    dmd_opener,
    laser_opener,
    meter_opener,
    slm_opener,
)
from labdiff.config.bench import BenchConfig, MeterConfig
from labdiff.config.libraries import require_confirmed
from labdiff.errors import UserError

Level = Literal["ok", "note", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One thing that was checked.

    device: its kind. message: what was found. remedy: what to do; "" for nothing.
    """

    device: str
    level: Level
    message: str
    remedy: str = ""


def check_devices(config: BenchConfig) -> Iterator[CheckFinding]:
    """Open each device of a bench file, compare it, and close it again, whatever becomes of the others.

    Simulated and absent devices are named as such. Raises UserError for a bench file that names a library
    which was not confirmed on this computer.
    """
    require_confirmed(config)
    yield from _check_laser(config)
    yield from _check_slm(config)
    if config.input.kind == "dmd":
        yield from _check_dmd(config)
    yield from _check_camera(config)
    if config.meter is not None:
        yield from _check_meter(config.meter, config.source.wavelength_nm)


def _check_meter(given: MeterConfig, wavelength_nm: float) -> Iterator[CheckFinding]:
    if given.driver == MOCK:
        yield _simulated("meter")
        return
    try:
        meter = meter_opener(given, wavelength_nm)()
    except (DeviceError, UserError) as error:
        yield CheckFinding("meter", "wrong", str(error))
        return
    try:
        yield CheckFinding("meter", "ok", f"{meter.name}: reads {meter.read_mw():.4g} mW")
    except DeviceError as error:
        yield CheckFinding("meter", "wrong", str(error))
    finally:
        with suppress(DeviceError):
            meter.close()


def _check_laser(config: BenchConfig) -> Iterator[CheckFinding]:
    if config.laser.driver == MOCK:
        yield _simulated("laser")
        return
    if config.laser.driver == NONE:
        yield CheckFinding(
            "laser", "note", 'no line to one (driver = "none"): a person blocks and frees its beam'
        )
        return
    try:
        laser: Laser = opened_dark(laser_place(config.laser), laser_opener(config))
    except LaserMayBeOnError as error:
        yield CheckFinding(
            "laser", "wrong", f"the laser may be ON: {error}", "Switch it off by hand."
        )
        return
    except (DeviceError, UserError) as error:
        yield CheckFinding("laser", "wrong", str(error))
        return
    try:
        yield CheckFinding("laser", "ok", f"{laser.name}: opened, and dark")
        low, high = laser.power_range_mw
        level: Level = "ok" if low <= config.laser.power_mw <= high else "wrong"
        yield CheckFinding(
            "laser",
            level,
            f"laser.power_mw = {config.laser.power_mw:g}; it takes {low:g} ... {high:g} mW",
            "" if level == "ok" else "Set laser.power_mw within these limits.",
        )
        if abs(laser.wavelength_nm - config.source.wavelength_nm) > 0.5:
            yield CheckFinding(
                "laser",
                "wrong",
                f"it stands at {laser.wavelength_nm:g} nm; source.wavelength_nm is "
                f"{config.source.wavelength_nm:g}",
                "Correct source.wavelength_nm, or tune the laser.",
            )
    except DeviceError as error:
        yield CheckFinding("laser", "wrong", str(error))
    finally:
        try:
            laser.close()
        except DeviceError as error:
            note_laser_that_may_be_on(laser.name, f"{error}; switch it off by hand")


def _check_slm(config: BenchConfig) -> Iterator[CheckFinding]:
    given = config.slm
    if given.driver in (MOCK, NONE):
        yield _simulated("slm") if given.driver == MOCK else _absent("slm")
        yield from _check_stroke(config)
        return
    try:
        slm: SLM = slm_opener(config)()
    except (DeviceError, UserError) as error:
        yield CheckFinding("slm", "wrong", str(error))
        return
    with _closed(slm):
        yield CheckFinding("slm", "ok", f"{slm.name}: opened")
        yield _compared("slm", "shape", list(given.shape), list(slm.shape))
        yield _compared("slm", "bit_depth", given.bit_depth, slm.bit_depth)
        yield _compared("slm", "pixel_pitch_um", given.pixel_pitch_um, slm.pixel_pitch_um)
        timing = slm.timing
        yield CheckFinding(
            "slm",
            "note",
            f"declares {timing.total_ms:g} ms until a pattern stands",
            "The calibration measures it.",
        )
    yield from _check_stroke(config)


def _check_stroke(config: BenchConfig) -> Iterator[CheckFinding]:
    """Say whether the panel reaches 2 pi, as far as the bench file has its maker's phase response."""
    try:
        phases_rad = declared_phases(config)
    except UserError as error:
        yield CheckFinding("slm", "wrong", str(error))
        return
    if phases_rad is not None and (missing := missing_share(phases_rad)):
        yield CheckFinding(
            "slm",
            "warning",
            f"by slm.options its stroke is {float(np.ptp(phases_rad)) / np.pi:.2f} pi, short of 2 pi: "
            f"{missing:.0%} of all phases are shown as the nearer end",
            SHORT_REMEDY,
        )


def _check_dmd(config: BenchConfig) -> Iterator[CheckFinding]:
    if config.input.driver == MOCK:
        yield _simulated("input")
        return
    try:
        dmd: InputModulator = dmd_opener(config)()
    except (DeviceError, UserError) as error:
        yield CheckFinding("input", "wrong", str(error))
        return
    with _closed(dmd):
        yield CheckFinding("input", "ok", f"{dmd.name}: opened")
        yield _compared("cavity", "patch_shape", list(config.cavity.patch_shape), list(dmd.shape))


def _check_camera(config: BenchConfig) -> Iterator[CheckFinding]:
    given = config.camera
    if given.driver in (MOCK, NONE):
        yield _simulated("camera") if given.driver == MOCK else _absent("camera")
        return
    try:
        camera: Camera = camera_opener(config)()
    except (DeviceError, UserError) as error:
        yield CheckFinding("camera", "wrong", str(error))
        return
    with _closed(camera):
        yield CheckFinding("camera", "ok", f"{camera.name}: opened")
        yield _compared("camera", "shape", list(given.used_shape), list(camera.shape))
        yield _compared("camera", "bit_depth", given.bit_depth, camera.bit_depth)
        low, high = camera.exposure_range_ms
        if not low <= given.exposure_ms <= high:
            yield CheckFinding(
                "camera",
                "wrong",
                f"camera.exposure_ms = {given.exposure_ms:g}; it takes {low:g} ... {high:g} ms",
                "Set camera.exposure_ms within these limits.",
            )


def _compared(section: str, key: str, declared: object, found: object) -> CheckFinding:
    device = "input" if section == "cavity" else section
    if declared == found:
        return CheckFinding(device, "ok", f"{section}.{key} = {declared}, as it is")
    return CheckFinding(
        device,
        "wrong",
        f"{section}.{key} = {declared}, and it has {found}",
        f"Set {section}.{key} = {found}.",
    )


def _simulated(device: str) -> CheckFinding:
    return CheckFinding(device, "note", 'is simulated (driver = "mock")')


def _absent(device: str) -> CheckFinding:
    return CheckFinding(device, "note", 'is not there yet (driver = "none")')


@contextmanager
def _closed(device: Device) -> Iterator[None]:
    """Close a device at the end, whatever it says then."""
    try:
        yield
    finally:
        with suppress(DeviceError):
            device.close()
