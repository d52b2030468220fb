"""Open the bench of a bench file."""

from __future__ import annotations

import logging
from contextlib import ExitStack

from drivers.protocols import SLM, Camera
from drivers.registry import KINDS
from labdiff.bench.bench import Bench
from labdiff.bench.bench_safety import opened_dark
from labdiff.bench.clock import SystemClock
from labdiff.bench.compose import OpenedDevices, patch_layout, reconnecting
from labdiff.bench.device_owners import own_devices
from labdiff.bench.lit_note import laser_place
from labdiff.bench.mock_bench import (
    IMAGE_FOLDER,
    SimulatedOpeners,
    open_mock_bench,
    simulated_openers,
)
from labdiff.bench.openers import (
    Opened,
    camera_opener,
    dmd_opener,
    laser_opener,
    slm_opener,
)
from labdiff.config.bench import BenchConfig, CameraConfig
from labdiff.config.driver_options import find_driver
from labdiff.config.libraries import require_confirmed
from labdiff.config.simulated import simulated_devices
from labdiff.errors import UserError

log = logging.getLogger(__name__)

BY_VIDEO = ("screen", "slmpy")
"""Drivers of SLMs on a video output."""
SIMULATED = "no real light follows them, and a simulated camera takes no frames beside real devices"


def open_bench(config: BenchConfig, seed: int) -> Bench:
    """Open the devices of a bench file; the laser stays off until the bench is entered.

    A camera's emulator that plays images from a folder may stand among mock devices: it is lit by them.
    Other devices may be simulated, or "none", beside real ones while a bench is brought up; a simulated
    camera beside real devices takes no frames, since simulated light does not come from these.

    Args:
        config: The bench file.
        seed: Of the mock's hidden imperfections.

    Raises:
        UserError: For an unknown driver or a wrong option, if another program uses a real device, or if
            the file names a library that was not confirmed on this computer.
        DeviceError: If a device is not there.
    """
    bench = _opened(config, seed)
    bench.simulated = simulated_devices(config, bench.camera.name)
    return bench


def _opened(config: BenchConfig, seed: int) -> Bench:
    require_confirmed(config)
    drivers = _drivers(config)
    mocked = [kind for kind, driver in drivers.items() if driver == "mock"]
    if len(mocked) == len(drivers):
        if config.shutter is not None:
            raise UserError("shutter: a simulated laser has none; leave the section out")
        return open_mock_bench(config, seed)
    require_known_drivers(config)
    if len(mocked) == len(drivers) - 1 and config.camera.options.get(IMAGE_FOLDER):
        if config.camera.bayer_plane:
            raise UserError("camera.bayer_plane: simulated light has no colours; leave it out")
        with own_devices(config) as owners:
            bench: Bench = open_mock_bench(config, seed)
            bench.release_with(owners.pop_all())
            return bench
    if mocked:
        log.warning("%s: %s; %s", config.name, simulated_devices(config), SIMULATED)
        return _open_real_bench(config, simulated_openers(config, seed))
    return _open_real_bench(config)


def require_known_drivers(config: BenchConfig) -> None:
    """Refuse a bench file that names a driver that there is not. Raises UserError with those like it."""
    for kind, driver in _drivers(config).items():
        if driver != "mock":
            try:
                find_driver(KINDS[kind], driver)
            except UserError as error:
                raise UserError(f"bench {config.name!r}: {error}") from None


def _drivers(config: BenchConfig) -> dict[str, str]:
    drivers = {
        "slm": config.slm.driver,
        "camera": config.camera.driver,
        "laser": config.laser.driver,
    }
    if config.input.kind == "dmd":
        drivers["input"] = config.input.driver
    return drivers


def _open_real_bench(config: BenchConfig, simulated: SimulatedOpeners | None = None) -> Bench:
    """Open devices of which some may be simulated, each by itself."""
    mocks = simulated or SimulatedOpeners()
    open_slm = mocks.slm or slm_opener(config)
    open_laser = mocks.laser or laser_opener(config)
    open_camera = mocks.camera or camera_opener(config)
    open_dmd = (mocks.dmd or dmd_opener(config)) if config.input.kind == "dmd" else None
    with own_devices(config) as owners, ExitStack() as stack:
        slm = open_slm()
        stack.callback(slm.close)
        laser = opened_dark(laser_place(config.laser), open_laser)
        stack.callback(laser.close)
        dmd = None
        if open_dmd is not None:
            dmd = Opened(open_dmd(), open_dmd)
            stack.callback(dmd.device.close)
        if (slm.shape, slm.bit_depth) != (config.slm.shape, config.slm.bit_depth):
            raise UserError(
                f"slm.shape = {list(config.slm.shape)}, slm.bit_depth = {config.slm.bit_depth}: {slm.name} "
                f"has {list(slm.shape)} and {slm.bit_depth} bits{_how_more_bits(config, slm)}"
            )
        camera = open_camera()
        stack.callback(camera.close)
        if camera.shape != config.camera.used_shape:
            raise UserError(_other_shape(config.camera, camera))
        opened = OpenedDevices(
            Opened(slm, open_slm), Opened(camera, open_camera), Opened(laser, open_laser), dmd
        )
        found = reconnecting(config, opened, SystemClock(), frames_name_patterns=False)
        bench = Bench(
            patch_layout(config),
            found.devices,
            found.fault_log,
            config.watchdog.saturated_share,
            guard=found.guard,
        )
        stack.pop_all()
        bench.release_with(owners.pop_all())
        return bench


def _other_shape(given: CameraConfig, camera: Camera) -> str:
    """Return what is wrong with the shape of a camera in the bench file."""
    if not given.bayer_plane:
        return f"camera.shape = {list(given.shape)}: {camera.name} has {list(camera.shape)} pixels"
    height, width = camera.shape
    return (
        f"camera.shape = {list(given.shape)}: with bayer_plane it is the whole sensor's; {camera.name} "
        f"are {height} x {width}: set camera.shape = {[2 * height, 2 * width]}"
    )


def _how_more_bits(config: BenchConfig, slm: SLM) -> str:
    """Return how a video output carries the bits that a bench file declares; "" where it does."""
    if config.slm.driver not in BY_VIDEO or slm.bit_depth == config.slm.bit_depth:
        return ""
    return (
        "; a video output carries more than 8 bits in its colours: set slm.options.encoding as the panel's "
        "manual has it (docs/hardware/panel.md), and slm.bit_depth to as many bits"
    )
