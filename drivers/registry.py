"""Find the driver class that a bench file names; it is imported only then.

The driver of a kind is one of the functions below, or comes from another installed package
(`drivers.entry_points`). A built-in name cannot be taken by another package.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from drivers import entry_points
from drivers.driver import (
    CameraDriver,
    InputDriver,
    LaserDriver,
    MeterDriver,
    ShutterDriver,
    SlmDriver,
)
from drivers.errors import DeviceNotFoundError
from drivers.protocols import SLM, Camera, InputModulator, Laser, PowerMeter, Shutter

DriverT = TypeVar("DriverT")
WITHOUT_ADDRESS = ("manual", "none")
"""Drivers of devices that are reached by no line."""
LASER_PROFILES = tuple(
    sorted(path.stem for path in (Path(__file__).parent / "laser" / "profiles").glob("*.toml"))
)
"""Names of the lasers that are described in `laser/profiles`."""


@dataclass(frozen=True, slots=True)
class DriverKind(Generic[DriverT]):
    """The drivers of one kind of device.

    name: of its section in the bench file. protocol: of its devices. built_in: drivers by name.
    """

    name: str
    protocol: type[Any]
    built_in: Mapping[str, Callable[[], DriverT]]

    def missing(self, device: object) -> list[str]:
        """Return the members that a device lacks; its properties are not read for it."""
        wanted = {name for name in dir(self.protocol) if not name.startswith("_")}
        return sorted(wanted - set(dir(device)))

    def find(self, driver: str) -> DriverT:
        """Import a driver by its name in the bench file.

        Raises DeviceNotFoundError for an unknown name, with those that there are, and for a driver of
        another package that does not load.
        """
        if driver in self.built_in:
            return self.built_in[driver]()
        installed = entry_points.installed(self.name)
        if driver in installed:
            found: DriverT = entry_points.load(installed[driver])
            return found
        known = ["mock", *self.built_in, *installed]
        near = difflib.get_close_matches(driver, known, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DeviceNotFoundError(
            f"unknown {self.name} driver {driver!r}; allowed are {', '.join(known)}.{hint}"
        )


def _slmpy() -> SlmDriver[Any]:
    from drivers.slm.slmpy import SlmPy

    return SlmPy


def _screen() -> SlmDriver[Any]:
    from drivers.slm.screen import Screen

    return Screen


def _meadowlark() -> SlmDriver[Any]:
    from drivers.slm.meadowlark import Meadowlark

    return Meadowlark


def _slmsuite() -> SlmDriver[Any]:
    from drivers.slm.slmsuite import SlmsuiteSlm

    return SlmsuiteSlm


def _basler() -> CameraDriver[Any]:
    from drivers.camera.basler import BaslerCamera

    return BaslerCamera


def _folder() -> CameraDriver[Any]:
    from drivers.camera.folder import FolderCamera

    return FolderCamera


def _genicam() -> CameraDriver[Any]:
    from drivers.camera.genicam import GenicamCamera

    return GenicamCamera


def _micromanager() -> CameraDriver[Any]:
    from drivers.camera.micromanager import MicroManagerCamera

    return MicroManagerCamera


def _webcam() -> CameraDriver[Any]:
    from drivers.camera.webcam import Webcam

    return Webcam


def _absent_slm() -> SlmDriver[Any]:
    from drivers.absent import AbsentSlm

    return AbsentSlm


def _absent_camera() -> CameraDriver[Any]:
    from drivers.absent import AbsentCamera

    return AbsentCamera


def _manual_laser() -> LaserDriver[Any]:
    from drivers.laser.manual import ManualLaser

    return ManualLaser


def _obis() -> LaserDriver[Any]:
    from drivers.laser.profile import shipped_driver

    return shipped_driver("obis")


def _profile(name: str) -> Callable[[], LaserDriver[Any]]:
    def driver() -> LaserDriver[Any]:
        from drivers.laser.profile import shipped_driver

        return shipped_driver(name)

    return driver


def _own_profile() -> LaserDriver[Any]:
    from drivers.laser.profile import OwnProfileLaser

    return OwnProfileLaser


def _solstis() -> LaserDriver[Any]:
    from drivers.laser.solstis import Solstis

    return Solstis


def _line_shutter() -> ShutterDriver[Any]:
    from drivers.shutter.line_shutter import LineShutter

    return LineShutter


def _manual_shutter() -> ShutterDriver[Any]:
    from drivers.shutter.manual import ManualShutter

    return ManualShutter


def _dmd_alp() -> InputDriver[Any]:
    from drivers.modulator.dmd_alp import DmdAlp

    return DmdAlp


def _pm100() -> MeterDriver[Any]:
    from drivers.meter.pm100 import Pm100

    return Pm100


SLMS = DriverKind(
    "slm",
    SLM,
    {
        "slmpy": _slmpy,
        "screen": _screen,
        "meadowlark": _meadowlark,
        "slmsuite": _slmsuite,
        "none": _absent_slm,
    },
)
CAMERAS = DriverKind(
    "camera",
    Camera,
    {
        "basler": _basler,
        "folder": _folder,
        "genicam": _genicam,
        "micromanager": _micromanager,
        "webcam": _webcam,
        "none": _absent_camera,
    },
)
LASERS = DriverKind(
    "laser",
    Laser,
    {
        **{name: _profile(name) for name in LASER_PROFILES},
        "manual": _manual_laser,
        "none": _manual_laser,
        "profile": _own_profile,
        "scpi": _obis,
        "solstis": _solstis,
    },
)
"""A name for each laser of `laser/profiles`; "scpi" is the first edition's name of "obis"."""
INPUTS = DriverKind("input", InputModulator, {"dmd_alp": _dmd_alp})
SHUTTERS = DriverKind("shutter", Shutter, {"line": _line_shutter, "manual": _manual_shutter})
METERS = DriverKind("meter", PowerMeter, {"pm100": _pm100})
KINDS: dict[str, DriverKind[Any]] = {
    kind.name: kind for kind in (SLMS, CAMERAS, LASERS, INPUTS, METERS, SHUTTERS)
}
