"""Open the bench of a bench file: each device is given plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from calibration.layout import PatchLayout
from drivers.protocols import SLM, Camera, InputModulator, Laser
from drivers.registry import CAMERAS, INPUTS, KINDS, LASERS, SLMS
from drivers.settings import CameraSettings, InputSettings, LaserSettings, SlmSettings
from labdiff.bench.bench import Bench
from labdiff.bench.clock import Clock, SystemClock
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_devices import (
    ReconnectingCamera,
    ReconnectingLaser,
    ReconnectingModulator,
    ReconnectingSequenceModulator,
)
from labdiff.bench.snapshot import CombinedState, Restorable
from labdiff.config.bench import BenchConfig, LaserConfig, SlmConfig
from labdiff.config.driver_options import driver_options, find_driver
from labdiff.errors import UserError
from mock_hardware.geometry import MockGeometry

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory


IMAGE_FOLDER = "image_folder"
"""The option of camera drivers that can play images; through them simulated light reaches a real driver."""


def patch_layout(config: BenchConfig) -> PatchLayout:
    """Where the patches lie on the SLM, as the bench file says."""
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


def open_bench(config: BenchConfig, seed: int) -> Bench:
    """Open the devices of a bench file. The mock's hidden imperfections are drawn from the seed.

    A camera's emulator that plays images from a folder may stand among mock devices: it is lit by them.
    Raises UserError for an unknown driver or another mixture of mock and real devices, DeviceError when
    a device is not there.
    """
    drivers = {
        "slm": config.slm.driver,
        "camera": config.camera.driver,
        "laser": config.laser.driver,
    }
    if config.input.kind == "dmd":
        drivers["input"] = config.input.driver
    mocked = [kind for kind, driver in drivers.items() if driver == "mock"]
    if len(mocked) == len(drivers):
        return _mock_bench(config, seed)
    for kind, driver in drivers.items():
        if driver != "mock":
            find_driver(KINDS[kind], driver)
    if len(mocked) == len(drivers) - 1 and config.camera.options.get(IMAGE_FOLDER):
        return _mock_bench(config, seed)
    if mocked:
        raise UserError(
            f'{mocked[0]}.driver: "mock" beside real devices; simulated light does not reach real '
            f"ones. Use mock for all of {', '.join(drivers)}, or for none; or for all but a camera whose "
            f"emulator plays images: camera.options.{IMAGE_FOLDER}."
        )
    return _real_bench(config)


def mock_geometry(config: BenchConfig) -> MockGeometry:
    """What the bench file tells the mock laboratory."""
    return MockGeometry(
        wavelength_nm=config.source.wavelength_nm,
        pixel_pitch_um=config.slm.pixel_pitch_um,
        panel_shape=config.slm.shape,
        patch_shape=config.cavity.patch_shape,
        patch_top=config.cavity.patch_top,
        patch_lefts=config.cavity.patch_lefts,
        z_gap_mm=config.cavity.z_gap_mm,
        waist_mm=config.source.waist_mm,
        input_kind=config.input.kind,
        camera_shape=config.camera.shape,
        camera_pitch_um=config.camera.pixel_pitch_um,
        camera_bit_depth=config.camera.bit_depth,
        magnification=config.relay.magnification,
        slm_bit_depth=config.slm.bit_depth,
    )


def _mock_bench(config: BenchConfig, seed: int) -> Bench:
    from mock_hardware.laboratory import MockLaboratory

    laboratory = MockLaboratory.create(mock_geometry(config), config.mock, seed)
    slm, laser, dmd = laboratory.slm, laboratory.laser, laboratory.dmd
    camera: tuple[Camera, Callable[[], Camera]]
    camera = laboratory.camera, _plugged_in(laboratory.camera)
    all_mock = config.camera.driver == "mock"
    if not all_mock:
        open_camera = _lit_camera(config, laboratory)
        camera = open_camera(), open_camera
    return _lasting_bench(
        config,
        laboratory.world.clock,
        slm=(slm, _plugged_in(slm)),
        camera=camera,
        laser=(laser, _plugged_in(laser)),
        dmd=(dmd, _plugged_in(dmd)) if dmd is not None else None,
        frames_name_patterns=all_mock,
        laboratory=laboratory if all_mock else None,
    )


def _lit_camera(config: BenchConfig, laboratory: MockLaboratory) -> Callable[[], Camera]:
    """What opens a real camera's driver in the laboratory's light."""
    from mock_hardware.light_folder import LightFolder, LitCamera

    open_real = _camera_opener(config)

    def open_camera() -> Camera:
        # The emulator wants to see pictures when it is opened.
        folder = LightFolder(Path(config.camera.options[IMAGE_FOLDER]), config.camera.shape)
        real = open_real()
        try:
            return LitCamera(real, laboratory, folder)
        except BaseException:
            real.close()
            raise

    return open_camera


def _camera_opener(config: BenchConfig) -> Callable[[], Camera]:
    given = config.camera
    driver = find_driver(CAMERAS, given.driver)
    options = driver_options("camera", given.driver, driver.Options, given.options)
    settings = CameraSettings(given.serial or "", given.bit_depth, options)
    return partial(driver.from_settings, settings)


def _slm_opener(config: BenchConfig) -> Callable[[], SLM]:
    given = config.slm
    driver = find_driver(SLMS, given.driver)
    options = driver_options("slm", given.driver, driver.Options, given.options)
    address = _address("slm", given)
    settings = SlmSettings(given.shape, given.pixel_pitch_um, address, options)
    return partial(driver.from_settings, settings)


def _laser_opener(config: BenchConfig) -> Callable[[], Laser]:
    given = config.laser
    driver = find_driver(LASERS, given.driver)
    options = driver_options("laser", given.driver, driver.Options, given.options)
    address = _address("laser", given)
    settings = LaserSettings(address, config.source.wavelength_nm, options)
    return partial(driver.from_settings, settings)


def _dmd_opener(config: BenchConfig) -> Callable[[], InputModulator]:
    given = config.input
    driver = find_driver(INPUTS, given.driver)
    options = driver_options("input", given.driver, driver.Options, given.options)
    settings = InputSettings(config.cavity.patch_shape, given.address or "", options)
    return partial(driver.from_settings, settings)


class _Reopenable(Protocol):
    def reopen(self) -> None: ...


M = TypeVar("M", bound=_Reopenable)


def _plugged_in(device: M) -> Callable[[], M]:
    """Opens a mock device again: the same one, there is but one laboratory."""

    def open_again() -> M:
        device.reopen()
        return device

    return open_again


def _real_bench(config: BenchConfig) -> Bench:
    open_slm = _slm_opener(config)
    open_laser = _laser_opener(config)
    open_camera = _camera_opener(config)
    open_dmd = _dmd_opener(config) if config.input.kind == "dmd" else None
    with ExitStack() as opened:
        slm = open_slm()
        opened.callback(slm.close)
        laser = open_laser()
        opened.callback(laser.close)
        dmd = None
        if open_dmd is not None:
            dmd = open_dmd()
            opened.callback(dmd.close)
        camera = open_camera()
        opened.callback(camera.close)
        if camera.shape != config.camera.shape:
            raise UserError(
                f"camera.shape = {list(config.camera.shape)}: {camera.name} has {list(camera.shape)} pixels"
            )
        bench = _lasting_bench(
            config,
            SystemClock(),
            slm=(slm, open_slm),
            camera=(camera, open_camera),
            laser=(laser, open_laser),
            dmd=(dmd, open_dmd) if dmd is not None and open_dmd is not None else None,
            frames_name_patterns=False,
        )
        opened.pop_all()
        return bench


def _address(kind: str, section: SlmConfig | LaserConfig) -> str:
    if section.address is None:
        raise UserError(
            f'{kind}.address: is missing; a real {kind} needs one, such as "192.168.0.2:9999" '
            "for slmpy, what 'labdiff monitors' says for screen, or "
            "\"TCPIP::192.168.0.3::INSTR\" for a VISA laser. 'labdiff devices' lists what is attached"
        )
    return section.address


def _lasting_bench(
    config: BenchConfig,
    clock: Clock,
    slm: tuple[SLM, Callable[[], SLM]],
    camera: tuple[Camera, Callable[[], Camera]],
    laser: tuple[Laser, Callable[[], Laser]],
    dmd: tuple[InputModulator, Callable[[], InputModulator]] | None,
    frames_name_patterns: bool,
    laboratory: Restorable | None = None,
) -> Bench:
    """Devices, each with what opens it again, as a bench that outlasts their troubles."""
    troubles = FaultLog()
    how = RetryContext(config.retries, clock, troubles)
    eye, light = ReconnectingCamera("camera", *camera, how), ReconnectingLaser("laser", *laser, how)
    eye.after_frames(light.watch, config.watchdog.laser_every_ms)
    eye.exposure_ms = config.camera.exposure_ms
    light.power_mw = config.laser.power_mw
    panel = ReconnectingModulator("slm", *slm, how)
    mirrors = _lasting_dmd(*dmd, how) if dmd else None
    wrappers: dict[str, Restorable] = {"slm": panel, "camera": eye, "laser": light}
    if mirrors is not None:
        wrappers["dmd"] = mirrors
    return Bench(
        layout=patch_layout(config),
        slm=cast(SLM, panel),
        camera=cast(Camera, eye),
        laser=cast(Laser, light),
        clock=clock,
        dmd=cast(InputModulator, mirrors) if mirrors is not None else None,
        frames_name_patterns=frames_name_patterns,
        troubles=troubles,
        most_saturated=config.watchdog.saturated_share,
        simulation=CombinedState(laboratory, wrappers) if laboratory is not None else None,
    )


def _lasting_dmd(
    dmd: InputModulator, open_again: Callable[[], InputModulator], how: RetryContext
) -> ReconnectingModulator[InputModulator]:
    plays = hasattr(dmd, "show_sequence")
    kind = ReconnectingSequenceModulator if plays else ReconnectingModulator
    return kind("dmd", dmd, open_again, how)
