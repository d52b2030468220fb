"""What can be asked of an engine: frozen plain values, so that they cross to another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from drivers.types import Roi
from labdiff.config.training import TrainingOptions
from labdiff.generation.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a bench: name of a shipped one, or path. seed: of a mock laboratory.

    calibrations: folder of the bench's archive; the bench's own if None. slm_address: instead of the bench
    file's, such as the monitor that was chosen; None: the file's.
    """

    bench: str
    seed: int = 0
    calibrations: Path | None = None
    slm_address: str | None = None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Leave the bench safe and let go of it."""


@dataclass(frozen=True, slots=True)
class SetExposure:
    """Of the camera, ms."""

    exposure_ms: float


@dataclass(frozen=True, slots=True)
class SetRoi:
    """The camera's window, in raw-sensor pixels; None: the whole sensor."""

    roi: Roi | None


@dataclass(frozen=True, slots=True)
class SetPower:
    """Of the laser, mW."""

    power_mw: float


@dataclass(frozen=True, slots=True)
class SetEmission:
    """Laser on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetLive:
    """Show frames while nothing else is done, at most so many a second."""

    on: bool
    frames_per_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ShowPhase:
    """Put a phase on the whole SLM, (height, width), rad; flat if None."""

    phase_rad: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Calibrate:
    """names: these alone; none for all that no longer hold. everything: all, without a look. check: only
    look.
    """

    names: tuple[str, ...] = ()
    everything: bool = False
    check: bool = False


@dataclass(frozen=True, slots=True)
class Train:
    """Train on the bench. out: folder of the run. resume: a run file.

    start_from: a layer file, or "pretrained"; what its layers are made for goes before the options.
    """

    options: TrainingOptions
    out: Path
    start_from: Path | None = None
    resume: Path | None = None
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """Images out of noise; the bench's calibrations are the engine's, whatever the request says."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Pause:
    """Let the job rest between two of its steps."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Let it go on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the job; what it recorded is kept."""


@dataclass(frozen=True, slots=True)
class SafeState:
    """Laser off at once, then the job ended and the SLM flat."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Disconnect and end."""


Command: TypeAlias = (
    Connect
    | Disconnect
    | SetExposure
    | SetRoi
    | SetPower
    | SetEmission
    | SetLive
    | ShowPhase
    | Calibrate
    | Train
    | Generate
    | Pause
    | Resume
    | Stop
    | SafeState
    | Quit
)
