"""What opens each device of a bench file: its driver, with settings that were checked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from drivers.absent import NONE
from drivers.camera.bayer import PATTERNS, BayerPlaneCamera, ColourCamera
from drivers.errors import DeviceError, DeviceValueError
from drivers.protocols import SLM, Camera, InputModulator, Laser, PowerMeter, Shutter
from drivers.registry import (
    CAMERAS,
    INPUTS,
    LASERS,
    METERS,
    SHUTTERS,
    SLMS,
    WITHOUT_ADDRESS,
    DriverKind,
)
from drivers.settings import (
    CameraSettings,
    InputSettings,
    LaserSettings,
    MeterSettings,
    ShutterSettings,
    SlmSettings,
)
from drivers.shutter.shuttered_laser import ShutteredLaser
from drivers.slm.corrected import CorrectedSlm, maker_phases
from drivers.slm.panel_options import VOLTAGE_LUT, WITHOUT_UPLOAD, PanelOptions
from drivers.wrapper import D
from labdiff.config.bench import (
    BenchConfig,
    LaserConfig,
    MeterConfig,
    ShutterConfig,
    SlmConfig,
)
from labdiff.config.driver_options import driver_options, find_driver
from labdiff.errors import UserError

DeviceT = TypeVar("DeviceT", covariant=True)


@dataclass(frozen=True, slots=True)
class Opened(Generic[DeviceT]):
    """An open device, and what opens it again after it was lost."""

    device: DeviceT
    open_again: Callable[[], DeviceT]


def camera_opener(config: BenchConfig) -> Callable[[], Camera]:
    """Return what opens the camera. Raises UserError for an unknown driver or a wrong option."""
    given = config.camera
    driver = find_driver(CAMERAS, given.driver)
    options = driver_options("camera", given.driver, driver.Options, given.options)
    plane, absent = given.bayer_plane, given.driver == NONE
    shape = given.used_shape if absent else given.shape
    settings = CameraSettings(given.serial or "", given.bit_depth, options, shape, bool(plane))
    open_camera = _complete(CAMERAS, given.driver, partial(driver.from_settings, settings))
    if not plane or absent:
        return open_camera

    def open_plane() -> Camera:
        camera = open_camera()
        known = camera.bayer_pattern if isinstance(camera, ColourCamera) else None
        pattern = given.bayer_pattern or known
        if pattern is None:
            name = camera.name
            camera.close()
            raise UserError(
                f"camera.bayer_plane = {plane!r}: {name} does not report the order of its filters; set "
                f"camera.bayer_pattern to the first two of its manual: {', '.join(PATTERNS)}"
            )
        try:
            return BayerPlaneCamera(camera, plane, pattern)
        except BaseException:
            camera.close()
            raise

    return open_plane


def slm_opener(config: BenchConfig) -> Callable[[], SLM]:
    """Return what opens the SLM. Raises UserError for an unknown driver or a wrong option."""
    given = config.slm
    driver = find_driver(SLMS, given.driver)
    own = {field.name for field in fields(driver.Options)}
    of_panel, rest = _split_options(given, own)
    options = driver_options("slm", given.driver, driver.Options, rest)
    settings = SlmSettings(given.shape, given.pixel_pitch_um, _address("slm", given), options)
    open_slm = _complete(SLMS, given.driver, partial(driver.from_settings, settings))
    return _with_panel_options(config, of_panel, open_slm)


def mock_slm_opener(config: BenchConfig, open_slm: Callable[[], SLM]) -> Callable[[], SLM]:
    """Return what opens the simulated SLM with the panel's options of the bench file.

    Raises UserError for a wrong option.
    """
    return _with_panel_options(config, _split_options(config.slm, set())[0], open_slm)


def declared_phases(config: BenchConfig) -> npt.NDArray[np.float64] | None:
    """Return the phase of each grey level by the bench file, rad; None where it names none.

    Raises UserError for a wrong option or file.
    """
    given = config.slm
    own = (
        {field.name for field in fields(find_driver(SLMS, given.driver).Options)}
        if given.driver != "mock"
        else set()
    )
    of_panel, _ = _split_options(given, own)
    options = driver_options("slm", given.driver, PanelOptions, of_panel)
    try:
        return maker_phases(options, given.bit_depth)
    except DeviceValueError as error:
        raise UserError(f"slm.options: {error}") from error


def _split_options(given: SlmConfig, own: set[str]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the options that are the panel's, and those that are the driver's own.

    Raises UserError for any other one.
    """
    names = {field.name for field in fields(PanelOptions)} - own
    if VOLTAGE_LUT in given.options and VOLTAGE_LUT not in own:
        upload = "its key is lut" if given.driver == "meadowlark" else WITHOUT_UPLOAD
        raise UserError(
            f"slm.options.{VOLTAGE_LUT}: the driver {given.driver!r} does not take it; {upload}"
        )
    unknown = [key for key in given.options if key not in names | own]
    if unknown:
        more = f"; {given.driver!r} takes {', '.join(sorted(own))} too" if own else ""
        raise UserError(
            f"slm.options: {', '.join(unknown)}: unknown; every SLM takes {', '.join(sorted(names))}{more}"
        )
    of_panel = {key: value for key, value in given.options.items() if key in names}
    return of_panel, {key: value for key, value in given.options.items() if key in own}


def _with_panel_options(
    config: BenchConfig, given: dict[str, object], open_slm: Callable[[], SLM]
) -> Callable[[], SLM]:
    """Return what opens an SLM with what its maker has measured of it.

    Args:
        config: The bench file.
        given: Its options of the panel.
        open_slm: Opens the SLM by itself.
    """
    panel = driver_options("slm", config.slm.driver, PanelOptions, given)
    if panel.empty:
        return open_slm

    def open_corrected() -> SLM:
        slm = open_slm()
        try:
            return CorrectedSlm(slm, panel, config.source.wavelength_nm)
        except DeviceValueError as error:
            slm.close()
            raise UserError(f"slm.options: {error}") from error

    return open_corrected


def laser_opener(config: BenchConfig) -> Callable[[], Laser]:
    """Return what opens the laser. Raises UserError for an unknown driver or a wrong option."""
    given = config.laser
    driver = find_driver(LASERS, given.driver)
    options = driver_options("laser", given.driver, driver.Options, given.options)
    address = _address("laser", given)
    settings = LaserSettings(address, config.source.wavelength_nm, options)
    open_laser = _complete(LASERS, given.driver, partial(driver.from_settings, settings))
    if config.shutter is None:
        return open_laser
    open_shutter = _shutter_opener(config.shutter)

    def open_both() -> Laser:
        shutter = open_shutter()
        try:
            return ShutteredLaser(open_laser(), shutter)
        except BaseException:
            with suppress(DeviceError):
                shutter.close()
            raise

    return open_both


def _shutter_opener(given: ShutterConfig) -> Callable[[], Shutter]:
    driver = find_driver(SHUTTERS, given.driver)
    options = driver_options("shutter", given.driver, driver.Options, given.options)
    settings = ShutterSettings(_address("shutter", given), options)
    return _complete(SHUTTERS, given.driver, partial(driver.from_settings, settings))


def meter_opener(given: MeterConfig, wavelength_nm: float) -> Callable[[], PowerMeter]:
    """Return what opens a power meter. Raises UserError for an unknown driver or a wrong option.

    Args:
        given: Its section of the bench file.
        wavelength_nm: Of the light that it measures.
    """
    driver = find_driver(METERS, given.driver)
    options = driver_options("meter", given.driver, driver.Options, given.options)
    settings = MeterSettings(_address("meter", given), wavelength_nm, options)
    return _complete(METERS, given.driver, partial(driver.from_settings, settings))


def dmd_opener(config: BenchConfig) -> Callable[[], InputModulator]:
    """Return what opens the DMD. Raises UserError for an unknown driver or a wrong option."""
    given = config.input
    driver = find_driver(INPUTS, given.driver)
    options = driver_options("input", given.driver, driver.Options, given.options)
    settings = InputSettings(config.cavity.patch_shape, given.address or "", options)
    return _complete(INPUTS, given.driver, partial(driver.from_settings, settings))


def _complete(kind: DriverKind[Any], driver: str, open_device: Callable[[], D]) -> Callable[[], D]:
    """Return what opens a device, and refuses one that lacks a member of its protocol."""

    def open_complete() -> D:
        device = open_device()
        missing = kind.missing(device)
        if missing:
            with suppress(AttributeError, DeviceError):
                device.close()
            raise UserError(
                f"{kind.name}.driver: the {kind.name} of {driver!r} lacks {', '.join(missing)}; see "
                "docs/new-driver.md"
            )
        return device

    return open_complete


def _address(kind: str, section: SlmConfig | LaserConfig | ShutterConfig | MeterConfig) -> str:
    if section.address is None and section.driver in WITHOUT_ADDRESS:
        return ""
    if section.address is None:
        raise UserError(
            f'{kind}.address: is missing; a real {kind} needs one, such as "192.168.0.2:9999" '
            "for slmpy, what 'labdiff monitors' says for screen, or "
            "\"TCPIP::192.168.0.3::INSTR\" for a VISA laser. 'labdiff devices' lists what is attached"
        )
    return section.address
