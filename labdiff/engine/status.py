"""What an engine tells beside the events of its jobs: frozen plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from labdiff.events import Event


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of a device: what was asked for, what the device says, its unit and its limits.

    asked: None for what cannot be set. actual: None if the device does not say.
    """

    name: str
    asked: float | None
    actual: float | None
    unit: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceState:
    """kind: slm, camera, laser or dmd. driver: of the bench file. words: what is wrong, else empty."""

    kind: str
    driver: str
    name: str
    connected: bool
    settings: tuple[Setting, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class BenchState:
    """All devices of the bench in hand; none after disconnecting.

    sensor_shape, panel_shape, patch_shape: (height, width), px. calibrations: folder of the archive.
    """

    bench: str
    devices: tuple[DeviceState, ...]
    emission: bool
    live: bool
    sensor_shape: tuple[int, int] = (0, 0)
    bit_depth: int = 0
    panel_shape: tuple[int, int] = (0, 0)
    patch_shape: tuple[int, int] = (0, 0)
    pixel_pitch_um: float = 0.0
    wavelength_nm: float = 0.0
    calibrations: str = ""


@dataclass(frozen=True, slots=True)
class JobState:
    """What the engine is at; kind "" for nothing. path: the file that it writes, "" for none."""

    kind: Literal["", "calibration", "training", "generation"]
    state: Literal["idle", "running", "paused", "stopping"]
    path: str = ""


@dataclass(frozen=True, slots=True)
class PatternShown:
    """What stands on the SLM now, (height, width), rad."""

    phase_rad: npt.NDArray[np.floating]
    words: str


@dataclass(frozen=True, slots=True)
class LayerSets:
    """The layers learnt so far, (M, N, h, w), rad."""

    phases_rad: npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Something went wrong: what to say, and what a developer would like to see."""

    words: str
    details: str = ""


News: TypeAlias = Event | BenchState | JobState | PatternShown | LayerSets | ErrorReport
