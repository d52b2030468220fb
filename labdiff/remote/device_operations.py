"""What may be done with the devices of a served bench from elsewhere: operations by their names.

A name that ends in "=" sets a property. Nothing but what is listed here may be reached.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from drivers.camera.wrapper import EXPOSURE_MS, ROI
from drivers.errors import DeviceValueError
from drivers.laser.wrapper import EMISSION, POWER_MW
from drivers.plain_text import plain_line
from drivers.protocols import SLM, Camera, InputModulator, Laser
from labdiff.bench.clock import BenchClock
from labdiff.bench.devices import BenchDevices

Number = TypeVar("Number", int, float)
Operations: TypeAlias = dict[str, Callable[..., Any]]

WITHOUT_TURN = frozenset({"laser.send_off"})
"""Operations that wait for no other: to switch the light off."""
LONGEST_SLEEP_S = 2.0
"""Time that one call may sleep; who waits for longer calls again, and is found missing meanwhile."""
MOST_FRAMES = 10_000
"""Number of frames that one call may ask for."""


def device_operations(devices: BenchDevices) -> Operations:
    """Return the operations of all devices of a bench."""
    found = _slm(devices.slm) | _camera(devices.camera) | _laser(devices.laser)
    found |= _clock(devices.clock)
    return found if devices.dmd is None else found | _dmd(devices.dmd)


def _slm(slm: SLM) -> Operations:
    return {
        "slm.name": lambda: slm.name,
        "slm.timing": lambda: slm.timing,
        "slm.shape": lambda: slm.shape,
        "slm.pixel_pitch_um": lambda: slm.pixel_pitch_um,
        "slm.bit_depth": lambda: slm.bit_depth,
        "slm.reported_pattern": lambda: slm.reported_pattern,
        "slm.set_phase": slm.set_phase,
        "slm.set_grey": slm.set_grey,
        "slm.set_lut": slm.set_lut,
    }


def _dmd(dmd: InputModulator) -> Operations:
    return {
        "dmd.name": lambda: dmd.name,
        "dmd.timing": lambda: dmd.timing,
        "dmd.shape": lambda: dmd.shape,
        "dmd.show": dmd.show,
        "dmd.has_trigger_output": lambda: dmd.has_trigger_output,
        "dmd.show_sequence": dmd.show_sequence,
    }


def _camera(camera: Camera) -> Operations:
    return {
        "camera.name": lambda: camera.name,
        "camera.timing": lambda: camera.timing,
        "camera.shape": lambda: camera.shape,
        "camera.bit_depth": lambda: camera.bit_depth,
        "camera.exposure_ms": lambda: camera.exposure_ms,
        "camera.exposure_ms=": partial(EXPOSURE_MS.apply, camera),
        "camera.exposure_range_ms": lambda: camera.exposure_range_ms,
        "camera.roi": lambda: camera.roi,
        "camera.roi=": partial(ROI.apply, camera),
        "camera.get_frame": camera.get_frame,
        "camera.get_frames": lambda count: camera.get_frames(
            _at_most(count, MOST_FRAMES, "frames")
        ),
        "camera.has_trigger_input": lambda: camera.has_trigger_input,
    }


def _laser(laser: Laser) -> Operations:
    return {
        "laser.name": lambda: laser.name,
        "laser.timing": lambda: laser.timing,
        "laser.power_mw": lambda: laser.power_mw,
        "laser.power_mw=": partial(POWER_MW.apply, laser),
        "laser.power_range_mw": lambda: laser.power_range_mw,
        "laser.emission": lambda: laser.emission,
        "laser.emission=": partial(EMISSION.apply, laser),
        "laser.send_off": laser.send_off,
        "laser.wavelength_nm": lambda: laser.wavelength_nm,
    }


def _clock(clock: BenchClock) -> Operations:
    return {
        "clock.now_s": clock.now_s,
        "clock.sleep_s": lambda seconds: clock.sleep_s(
            _at_most(seconds, LONGEST_SLEEP_S, "seconds")
        ),
        "clock.catch_up": clock.catch_up,
    }


def _at_most(value: Number, most: Number, unit: str) -> Number:
    """Return a number that is not too large. Raises DeviceValueError."""
    if not 0 <= value <= most:
        raise DeviceValueError(
            f"{plain_line(value)} {unit} in one call; 0 ... {most:g} are allowed"
        )
    return value
