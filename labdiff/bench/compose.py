"""Compose a bench of open devices: each in its wrapper, once."""

from __future__ import annotations

from dataclasses import dataclass

from calibration.layout import PatchLayout
from drivers.protocols import SLM, Camera, InputModulator, Laser
from labdiff.bench.clock import BenchClock
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.guard_laser import LaserGuard, guard_laser
from labdiff.bench.openers import Opened
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_camera import ReconnectingCamera, Watch
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.bench.reconnecting_modulators import ReconnectingModulator, ReconnectingSlm
from labdiff.bench.snapshot import Restorable
from labdiff.config.bench import BenchConfig


@dataclass(frozen=True, slots=True)
class OpenedDevices:
    """The open devices of a bench file, each with what opens it again. dmd: None without one."""

    slm: Opened[SLM]
    camera: Opened[Camera]
    laser: Opened[Laser]
    dmd: Opened[InputModulator] | None


@dataclass(frozen=True, slots=True)
class ReconnectingDevices:
    """Devices that survive their faults, and the log of these. guard: what guards the laser."""

    devices: BenchDevices
    fault_log: FaultLog
    guard: LaserGuard
    states: dict[str, Restorable]


def patch_layout(config: BenchConfig) -> PatchLayout:
    """Return where the patches lie on the SLM."""
    return PatchLayout(
        panel_shape=config.slm.shape,
        patch_shape=config.cavity.patch_shape,
        top=config.cavity.patch_top,
        lefts=config.cavity.patch_lefts,
        pixel_pitch_um=config.slm.pixel_pitch_um,
        wavelength_nm=config.source.wavelength_nm,
        gap_mm=config.gap_mm,
        waist_mm=config.source.waist_mm,
    )


def reconnecting(
    config: BenchConfig, opened: OpenedDevices, clock: BenchClock, frames_name_patterns: bool
) -> ReconnectingDevices:
    """Return the devices with retries, exposure and power set as in the bench file.

    Args:
        config: The bench file.
        opened: Its devices.
        clock: Of the waits.
        frames_name_patterns: The camera's frames carry the id of their pattern.
    """
    fault_log = FaultLog()
    context = RetryContext(config.retries, clock, fault_log)
    slm = ReconnectingSlm("slm", opened.slm.device, opened.slm.open_again, context)
    laser = ReconnectingLaser("laser", opened.laser.device, opened.laser.open_again, context)
    camera = ReconnectingCamera(
        "camera",
        opened.camera.device,
        opened.camera.open_again,
        context,
        Watch(laser.check_emission, config.watchdog.laser_every_ms),
    )
    camera.exposure_ms = config.camera.exposure_ms
    laser.power_mw = config.laser.power_mw
    states: dict[str, Restorable] = {"slm": slm, "camera": camera, "laser": laser}
    dmd = None
    if opened.dmd is not None:
        dmd = ReconnectingModulator("dmd", opened.dmd.device, opened.dmd.open_again, context)
        states["dmd"] = dmd
    level = config.camera.saturation_level
    devices = BenchDevices(slm, camera, laser, clock, dmd, frames_name_patterns, level)
    # Last: from here on the bench is closed in good order, which releases the guardian.
    guard = guard_laser(config.laser, opened.laser.device, laser.switched_off)
    return ReconnectingDevices(devices, fault_log, guard, states)
