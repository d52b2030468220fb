"""The events that long jobs yield: frozen dataclasses, one for each kind of progress.

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
    """The first event of every job: its name and the number of steps expected.

    data: of a training, one line about what its images hold; people see in it what was understood.
    """

    job: str
    total_steps: int
    data: str = ""


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A job begins one of its stages, such as "calibrate" or "online learning"."""

    stage: str
    total_steps: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """One image of a training step at every stage of its path.

    noisy, predicted_noise, true_noise: (image height, image width).
    camera: intensity in the output plane, (h, w), 1.0 = mean of the flat reference.
    input_field: pattern on the input modulator, (h, w), radians or amplitude.
    """

    noisy: Image
    input_field: Image
    camera: Image
    predicted_noise: Image
    true_noise: Image


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One optimiser step of one layer set.

    method: one of `labdiff.training.methods`. step: counts over all layer sets, 0-based, out of total.
    twin_mse, bench_mse: noise MSE of this batch (bench_mse is None on a twin).
    discrepancy: D = 1 - C between camera and twin (None on a twin). noise_floor: D of a perfect twin,
    which the noise of the frames alone causes. intensity_scale, intensity_offset: mean line through the
    frames, measured = scale * modelled + offset, which D does not show: laser power and ambient light.
    alignment: the twin's alignment parameters by name, units in the names; deviation: one standard
    deviation of each. refined: whether this step changed them.
    first_t, end_t: timesteps [first_t, end_t) of the layer set; (0, 0) where they are not known.
    wiener_mse, identity_mse: what the baselines score on those timesteps (None where that is not known);
    errors of different layer sets can only be compared as multiples of wiener_mse.
    frames_per_s, duty: see `labdiff.bench.acquisition_thread.Pace`. repeated: number of frames that were
    rejected and measured again.
    """

    method: Literal[
        "offline", "calibrated", "further", "physics_aware", "spsa", "policy_gradient", "online"
    ]
    step: int
    total: int
    layer_set: int
    twin_mse: float
    bench_mse: float | None = None
    discrepancy: float | None = None
    noise_floor: float | None = None
    intensity_scale: float | None = None
    intensity_offset: float | None = None
    alignment: dict[str, float] = field(default_factory=dict)
    deviation: dict[str, float] = field(default_factory=dict)
    refined: bool = False
    frames_per_s: float | None = None
    duty: float | None = None
    repeated: int = 0
    pictures: Pictures | None = None
    first_t: int = 0
    end_t: int = 0
    wiener_mse: float | None = None
    identity_mse: float | None = None


@dataclass(frozen=True, slots=True)
class DenoiserStep:
    """One optimiser step of a digital denoiser, 0-based out of total, with the noise MSE of its batch.

    peer: the name of its architecture in `labdiff.reproduce.digital_denoisers`.
    """

    peer: str
    step: int
    total: int
    mse: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration routine has ended; the result carries its verdict."""

    routine: str
    result: Result


@dataclass(frozen=True, slots=True)
class ValidityChecked:
    """The stored calibrations were checked on the bench: (routine, state, reason) of each.

    state: one of `labdiff.calibrations.routine.State`.
    """

    findings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class AlignmentStep:
    """One step of the alignment fit, with the discrepancy and the parameters that it has reached."""

    step: int
    total: int
    discrepancy: float
    alignment: dict[str, float]
    message: str
    picture: Image | None = None


@dataclass(frozen=True, slots=True)
class GenerationStep:
    """One denoising step of a batch of images (B, H, W) in -1 ... 1; t counts down."""

    step: int
    total: int
    t: int
    images: Image


HOLOGRAM_STAGE = "hologram on the twin"
"""Name of the stage in which a hologram is computed."""


@dataclass(frozen=True, slots=True)
class HologramStep:
    """One step of a hologram's optimisation, 0-based out of total.

    correlation: of the twin's intensity with the wanted one. picture: (h, w), the twin's intensity; None
    at most steps.
    """

    step: int
    total: int
    correlation: float
    picture: Image | None = None


@dataclass(frozen=True, slots=True)
class HologramDisplayed:
    """A hologram is displayed now.

    patches_rad: (P, h, w). correlation: of the twin's intensity with the wanted one. aligned: whether the
    twin had the alignment of this bench, and not the data sheets' values.
    """

    patches_rad: Image
    correlation: float
    aligned: bool


HOLOGRAM_CAMERA_STAGE = "camera in the loop"
"""Name of the stage in which a hologram is improved by what the camera sees."""


@dataclass(frozen=True, slots=True)
class HologramFrame:
    """One frame of a hologram with the camera in the loop, 0-based out of total; the last checks the best.

    psnr_db, efficiency, uniformity: of the measured frame, as `labdiff.holograms.figures` has them;
    uniformity: None for a picture. best: whether it is the best so far. picture: (h, w), as measured.
    """

    frame: int
    total: int
    psnr_db: float
    efficiency: float
    uniformity: float | None
    best: bool
    picture: Image


@dataclass(frozen=True, slots=True)
class EvaluationStep:
    """One step of an evaluation: step counts from 0, out of total; message says what was scored."""

    step: int
    total: int
    message: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of merit of a finished stage by name, such as mse_online_bench."""

    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state from which a job can be resumed: arrays and scalars by name, never a pickled object.

    results: the calibration results that the job works with, by routine.
    """

    arrays: dict[str, npt.NDArray[np.generic]]
    scalars: dict[str, float | int | str]
    results: dict[str, Result] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobEnded:
    """The last event of every job: how it ended, and why."""

    outcome: Literal["completed", "stopped", "failed"]
    reason: str


Event: TypeAlias = (
    JobStarted
    | StageStarted
    | CalibrationStep
    | Calibrated
    | ValidityChecked
    | AlignmentStep
    | TrainingStep
    | DenoiserStep
    | GenerationStep
    | HologramStep
    | HologramDisplayed
    | HologramFrame
    | EvaluationStep
    | Measured
    | Checkpoint
    | JobEnded
)
