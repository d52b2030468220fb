"""What a driver's `from_settings` is given: the settings of its kind, with the driver's own options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a driver that takes none."""


@dataclass(frozen=True, slots=True)
class SlmSettings(Generic[OptionsT]):
    """Settings of an SLM.

    shape: (height, width) of the panel in pixels. address: where it is attached, in the driver's own form.
    """

    shape: tuple[int, int]
    pixel_pitch_um: float
    address: str
    options: OptionsT


@dataclass(frozen=True, slots=True)
class InputSettings(Generic[OptionsT]):
    """Settings of an input modulator.

    shape: (height, width) of the input field. address: in the driver's own form; "" opens the first one.
    """

    shape: tuple[int, int]
    address: str
    options: OptionsT


@dataclass(frozen=True, slots=True)
class CameraSettings(Generic[OptionsT]):
    """Settings of a camera.

    serial: its serial number; "" opens the first one. bit_depth: of one count. shape: (height, width) of
    the sensor by the bench file, with which a driver's own is compared once it is open. one_colour: a
    colour camera's own counts are wanted, of which one filter's pixels are taken.
    """

    serial: str
    bit_depth: int
    options: OptionsT
    shape: tuple[int, int] = (1, 1)
    one_colour: bool = False


@dataclass(frozen=True, slots=True)
class LaserSettings(Generic[OptionsT]):
    """Settings of a laser. address: in the driver's own form. wavelength_nm: by the bench file."""

    address: str
    wavelength_nm: float
    options: OptionsT


@dataclass(frozen=True, slots=True)
class ShutterSettings(Generic[OptionsT]):
    """Settings of a shutter. address: in the driver's own form."""

    address: str
    options: OptionsT


@dataclass(frozen=True, slots=True)
class MeterSettings(Generic[OptionsT]):
    """Settings of a power meter. wavelength_nm: of the light that it measures."""

    address: str
    wavelength_nm: float
    options: OptionsT
