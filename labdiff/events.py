"""What a long job says while it runs: frozen values, yielded one by one.

`Event` is a union and not a base class, so that it includes the steps of lower floors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from calibration.result_file import Result
from calibration.step import CalibrationStep

Image: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class JobStarted:
    """First event of every job: its name and how many steps are expected."""

    job: str
    total_steps: int


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A job enters a part of itself, such as "calibrate" or "online learning"."""

    stage: str
    total_steps: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """What happened to one image in a training step.

    noisy, predicted_noise, true_noise: (image height, image width).
    camera: the output plane's intensity, (h, w), 1.0 = mean of the flat reference.
    input_field: what the input modulator showed, (h, w), radians or amplitude.
    """

    noisy: Image
    input_field: Image
    camera: Image
    predicted_noise: Image
    true_noise: Image


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One update of one layer set.

    method: as in `labdiff.training.methods`. step counts over all layer sets, 0-based, out of total.
    twin_mse, bench_mse: noise MSE of this batch (bench_mse is None on a twin).
    discrepancy: D = 1 - C between camera and twin (None on a twin); noise_floor: what a perfect twin would
    have, from the frames' own noise.
    alignment: the twin's alignment parameters by name, units in the names; deviation: one standard
    deviation of each. refined: whether this step moved them.
    frames_per_s, duty: as `labdiff.bench.acquisition_thread.Pace`; repeated: frames that were
    measured again.
    """

    method: Literal["offline", "calibrated", "physics_aware", "online"]
    step: int
    total: int
    layer_set: int
    twin_mse: float
    bench_mse: float | None = None
    discrepancy: float | None = None
    noise_floor: float | None = None
    alignment: dict[str, float] = field(default_factory=dict)
    deviation: dict[str, float] = field(default_factory=dict)
    refined: bool = False
    frames_per_s: float | None = None
    duty: float | None = None
    repeated: int = 0
    pictures: Pictures | None = None


@dataclass(frozen=True, slots=True)
class DenoiserStep:
    """One update of a digital peer, 0-based out of total: the noise MSE of its batch.

    peer: the architecture's name, as in `labdiff.reproduce.digital_denoisers`.
    """

    peer: str
    step: int
    total: int
    mse: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration's result, with its verdict, under the routine's name."""

    routine: str
    result: Result


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the bench says of the stored calibrations: (routine, state, words).

    state: as `labdiff.calibrations.validity.State`.
    """

    findings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class AlignmentStep:
    """One step of the alignment fit: frames measured so far, discrepancy, parameters."""

    step: int
    total: int
    discrepancy: float
    alignment: dict[str, float]
    message: str
    picture: Image | None = None


@dataclass(frozen=True, slots=True)
class GenerationStep:
    """One denoising step of a batch of images; images (B, H, W) in -1 ... 1, t counts down."""

    step: int
    total: int
    t: int
    images: Image


@dataclass(frozen=True, slots=True)
class EvaluationStep:
    """One step of scoring: step counts from 0, out of total; message says what was done."""

    step: int
    total: int
    message: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Named figures of a finished part, such as mse_online_bench."""

    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a resumed job needs, as plain arrays and scalars by name; never an object.

    results: the calibrations that it works with, by routine.
    """

    arrays: dict[str, npt.NDArray[np.generic]]
    scalars: dict[str, float | int | str]
    results: dict[str, Result] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobEnded:
    """Last event of every job."""

    outcome: Literal["completed", "stopped", "failed"]
    reason: str


Event: TypeAlias = (
    JobStarted
    | StageStarted
    | CalibrationStep
    | Calibrated
    | Looked
    | AlignmentStep
    | TrainingStep
    | DenoiserStep
    | GenerationStep
    | EvaluationStep
    | Measured
    | Checkpoint
    | JobEnded
)
