"""What a driver is: a class with its options, and `from_settings`, which connects and returns the device.

A class fits by having these two members. mypy checks it where the class is returned as one of these
protocols, as `drivers.registry` does.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from drivers.protocols import SLM, Camera, InputModulator, Laser, PowerMeter, Shutter
from drivers.settings import (
    CameraSettings,
    InputSettings,
    LaserSettings,
    MeterSettings,
    OptionsT,
    ShutterSettings,
    SlmSettings,
)


@runtime_checkable
class Driver(Protocol):
    """A driver of any kind: what is checked of a class that another package brings."""

    @property
    def Options(self) -> type[Any]:
        """Frozen dataclass of the options that this driver alone knows; `NoOptions` if it takes none."""
        ...

    @property
    def from_settings(self) -> Any:
        """Connect. Raises DeviceNotFoundError, or DeviceValueError for settings that cannot be."""
        ...


class SlmDriver(Protocol[OptionsT]):
    """The class of an SLM."""

    @property
    def Options(self) -> type[OptionsT]:
        """The bench file's [slm.options]."""
        ...

    def from_settings(self, settings: SlmSettings[OptionsT], /) -> SLM:
        """Connect to the SLM."""
        ...


class InputDriver(Protocol[OptionsT]):
    """The class of an input modulator."""

    @property
    def Options(self) -> type[OptionsT]:
        """The bench file's [input.options]."""
        ...

    def from_settings(self, settings: InputSettings[OptionsT], /) -> InputModulator:
        """Connect to the input modulator."""
        ...


class CameraDriver(Protocol[OptionsT]):
    """The class of a camera."""

    @property
    def Options(self) -> type[OptionsT]:
        """The bench file's [camera.options]."""
        ...

    def from_settings(self, settings: CameraSettings[OptionsT], /) -> Camera:
        """Connect to the camera."""
        ...


class LaserDriver(Protocol[OptionsT]):
    """The class of a laser."""

    @property
    def Options(self) -> type[OptionsT]:
        """The bench file's [laser.options]."""
        ...

    def from_settings(self, settings: LaserSettings[OptionsT], /) -> Laser:
        """Connect to the laser; it stays dark."""
        ...


class ShutterDriver(Protocol[OptionsT]):
    """The class of a shutter."""

    @property
    def Options(self) -> type[OptionsT]:
        """The bench file's [shutter.options]."""
        ...

    def from_settings(self, settings: ShutterSettings[OptionsT], /) -> Shutter:
        """Connect to the shutter; it is closed."""
        ...


class MeterDriver(Protocol[OptionsT]):
    """The class of a power meter."""

    @property
    def Options(self) -> type[OptionsT]:
        """Options of the meter."""
        ...

    def from_settings(self, settings: MeterSettings[OptionsT], /) -> PowerMeter:
        """Connect to the power meter."""
        ...
