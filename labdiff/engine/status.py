"""The events of an engine beside those of its jobs: frozen plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.types import Roi
from labdiff.events import Event

CONNECT_STEPS = 3
"""Number of steps of opening a bench: its process, its devices, their values."""
CORRECTION = "flatness map"
"""Name of the setting of an SLM whose maker has measured it: whether the map is added."""
ADDED, NOT_ADDED = "added", "not added"
"""Values of that setting."""
JobKind: TypeAlias = Literal["calibration", "training", "generation", "hologram"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of a device: requested and actual, with its unit and its limits.

    requested: None for what cannot be set. actual: None if the device does not report it. text: the
    value of what is no number.
    """

    name: str
    requested: float | None
    actual: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device of the bench.

    kind: "slm", "camera", "laser", "dmd", "shutter" or "meter". driver: its name in the bench file.
    problem: why the device does not answer, "" if it does.
    """

    kind: str
    driver: str
    name: str
    connected: bool
    settings: tuple[Setting, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BenchState:
    """The devices of the connected bench; none after disconnecting.

    emission: the laser's; True also where it is not known, as after a bench that was not left dark.
    sensor_shape, panel_shape, patch_shape, input_shape (of a DMD): (height, width), px. full_scale_counts:
    count from which a pixel of the camera is saturated. calibrations: folder of the archive. simulated:
    which devices are, in one sentence; "" if none is. roi: window of the camera; None if it does not
    answer. patches: where they lie on the SLM, in the order in which light meets them; input_patch: the
    first one writes the input.
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
    full_scale_counts: int = 0
    simulated: str = ""
    input_shape: tuple[int, int] = (0, 0)
    roi: Roi | None = None
    patches: tuple[Roi, ...] = ()
    input_patch: bool = False


@dataclass(frozen=True, slots=True)
class ConnectStep:
    """A bench is being opened. step: number of what is done now, from 2; 1 is the start of the process."""

    step: int
    message: str


@dataclass(frozen=True, slots=True)
class JobState:
    """The state of the engine's job; kind "" for no job. path: the file that it writes, "" for none."""

    kind: Literal[""] | JobKind
    state: Literal["idle", "running", "paused", "stopping"]
    path: str = ""


@dataclass(frozen=True, slots=True)
class PatternDisplayed:
    """The pattern that the SLM displays now, (height, width), rad."""

    phase_rad: npt.NDArray[np.floating]
    description: str


@dataclass(frozen=True, slots=True)
class InputDisplayed:
    """The DMD displays a field now; name: what it was called."""

    name: str


@dataclass(frozen=True, slots=True)
class ExposureFound:
    """The exposure that was set for the light as it is, by the brightest pixel.

    fill: the brightest pixel's counts, share of full scale; 1: clipped. power_mw: the laser's. frames:
    number that were taken. remedy: what would help where no exposure of the camera does; "" where one did.
    """

    exposure_ms: float
    fill: float
    power_mw: float
    frames: int
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LayerSets:
    """The layers learnt so far, (M, N, h, w), rad."""

    phases_rad: npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error: the message for the user, and the traceback for a developer."""

    message: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class HandRequested:
    """The person at the bench has to do something; the bench waits for `commands.HandDone` of that number.

    device: its name. act: what to do. expected: what is seen then.
    """

    number: int
    device: str
    act: str
    expected: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A `commands.Requested` of that number was executed; error: why it was not, "" if it was."""

    number: int
    error: str


def roi_label(roi: Roi) -> str:
    """Return a window on the sensor as text: "320 x 256 px, top 0, left 0"."""
    return f"{roi.width} x {roi.height} px, top {roi.top}, left {roi.left}"


EngineEvent: TypeAlias = (
    InputDisplayed
    | ExposureFound
    | ConnectStep
    | Event
    | BenchState
    | JobState
    | PatternDisplayed
    | LayerSets
    | ErrorReport
    | HandRequested
    | Answered
)
