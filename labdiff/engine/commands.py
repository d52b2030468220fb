"""The commands of an engine: frozen plain values, so that they cross to another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.types import Roi
from labdiff.config.training import TrainingOptions
from labdiff.generation.request import GenerationRequest

BY_HAND = "by hand"
"""What a pattern is called that has no other name."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a bench: the name of a shipped one, or a path. seed: of a mock laboratory.

    calibrations: folder of the calibration archive; the bench's own if None. slm_address: replaces the
    address in the bench file, for example by the monitor that was chosen; None: the file's.
    """

    bench: str
    seed: int = 0
    calibrations: Path | None = None
    slm_address: str | None = None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Leave the bench safe and close it."""


@dataclass(frozen=True, slots=True)
class SetExposure:
    """Set the camera's exposure time."""

    exposure_ms: float


@dataclass(frozen=True, slots=True)
class SetGain:
    """Set the camera's gain, where it has one."""

    gain_db: float


@dataclass(frozen=True, slots=True)
class SetRoi:
    """Set the camera's window, in raw-sensor pixels; None: the whole sensor."""

    roi: Roi | None


@dataclass(frozen=True, slots=True)
class SetOutputRoi:
    """Set the camera's window around the output region that the registration found last."""


@dataclass(frozen=True, slots=True)
class AutoExpose:
    """Set the exposure at which the brightest pixel is at about 80 % of full scale, and none is clipped."""


@dataclass(frozen=True, slots=True)
class SetPower:
    """Set the laser's power."""

    power_mw: float


@dataclass(frozen=True, slots=True)
class SetEmission:
    """Switch the laser on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetLive:
    """Show frames while no job runs, at most `frames_per_s` of them a second."""

    on: bool
    frames_per_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ShowPhase:
    """Display a phase on the whole SLM, (height, width), rad; a flat one if None.

    name: what events call it.
    """

    phase_rad: npt.NDArray[np.float32] | None
    name: str = BY_HAND


@dataclass(frozen=True, slots=True)
class SetCorrection:
    """Add the SLM maker's flatness map to patterns, or not; the displayed pattern is displayed anew."""

    on: bool


@dataclass(frozen=True, slots=True)
class ShowHologram:
    """Compute layers by whose light the twin sees an image, and display them.

    target: (h, w) of a patch, wanted intensity on the output plane, 0 ... 1. name: what messages call it.
    steps: of the optimisation.
    """

    target: npt.NDArray[np.float32]
    name: str = "image"
    steps: int = 150


@dataclass(frozen=True, slots=True)
class ShowInput:
    """Display a field on the DMD, (height, width), amplitude in 0 ... 1. name: what messages call it."""

    field: npt.NDArray[np.float32]
    name: str = "field"


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Calibrate the bench.

    names: the routines to measure; none for all whose results are no longer valid. everything: measure
    all routines, without a validity check. check: check the stored results and measure nothing.
    """

    names: tuple[str, ...] = ()
    everything: bool = False
    check: bool = False


@dataclass(frozen=True, slots=True)
class Train:
    """Train on the bench. out: folder of the run. resume: a run file.

    start_from: a layer file, or "pretrained"; the options that its layers need override `options`.
    """

    options: TrainingOptions
    out: Path
    start_from: Path | None = None
    resume: Path | None = None
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """Generate images; the calibrations are those of the engine's bench, not the request's."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the job between two of its steps."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Resume the paused job."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the job; what it recorded stays in its run file."""


@dataclass(frozen=True, slots=True)
class SafeState:
    """Switch the laser off at once, then stop the job and flatten the SLM.

    press: number of the person's request, which reaches the bench's process in two ways; 0 if no person
    asked.
    """

    press: int = 0


@dataclass(frozen=True, slots=True)
class Quit:
    """Disconnect, and end the engine."""


@dataclass(frozen=True, slots=True)
class HandDone:
    """The person has done what was asked for by `status.HandRequested`, or refuses."""

    number: int
    done: bool


@dataclass(frozen=True, slots=True)
class Requested:
    """A command whose outcome is reported, by `status.Answered` of the same number."""

    number: int
    command: Command


Command: TypeAlias = (
    Connect
    | Disconnect
    | SetExposure
    | SetGain
    | SetRoi
    | SetOutputRoi
    | AutoExpose
    | SetPower
    | SetEmission
    | SetLive
    | ShowPhase
    | SetCorrection
    | ShowHologram
    | ShowInput
    | Calibrate
    | Train
    | Generate
    | Pause
    | Resume
    | Stop
    | SafeState
    | HandDone
    | Quit
    | Requested
)
