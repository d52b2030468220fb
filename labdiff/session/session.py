"""What a training session holds, and how it is kept and taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result_file import Result
from drivers.errors import DeviceStateError
from drivers.phase_quantiser import PhaseQuantiser
from labdiff.bench.bench import Bench
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.config.bench import BenchConfig
from labdiff.config.training import TIMESTEPS, TrainingOptions
from labdiff.data.image_set import ImageSet, load_images
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.errors import UserError
from labdiff.events import Checkpoint
from labdiff.runs.hdf5_tables import FIGURE
from labdiff.runs.reader import RunFile
from labdiff.session.models import build_odu, build_twin
from twin.denoising_unit import ImageStatistics, OpticalDenoisingUnit
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import track_drift

CHECKPOINT_SECONDS = 5.0
BENCH, AT_WORK, CALIBRATION = "bench.", "at_work.", "calibration."
"""Names in a checkpoint begin so, beside "odu.", "twin." and the recorder's "figure."."""


@dataclass(slots=True)
class Position:
    """Where a job is: in which stage, and what comes next in it.

    Next is the step of a layer set, or the step-th of the routines that are planned.
    """

    stage: str = "offline"
    layer_set: int = 0
    step: int = 0
    planned: tuple[str, ...] = ()

    def go_to(self, stage: str, planned: tuple[str, ...] = ()) -> None:
        """To the beginning of a stage."""
        self.stage, self.planned = stage, planned
        self.layer_set = self.step = 0


@dataclass(slots=True)
class Session:
    """Unit, twin, data and schedule of one run; the bench is lent to it.

    Without a bench (None) it learns and generates on the data sheet's twin alone.

    precompensation_rad: (N + 1, h, w), written on the SLM on top of input and layers, undoes the
    tilts that the twin has learnt. Bench and twin both see it. aligned: the twin knows this bench.
    covariance (P, P): what the calibration left unknown of the twin's parameters.
    pretrained: the layers came from a file; every layer set goes on from its own. spots: the registration
    as it was measured, before the alignment corrected the bench's.
    calibrations: names and archive's ids of the calibrations in use.
    at_work: what the stage at work keeps to be gone on with from a checkpoint; empty between stages.
    left_at: where the bench of a resumed run has to be put back to; None if it cannot be.
    quantiser: of the SLM for which layers are learnt, where its bench is not at hand.
    """

    config: BenchConfig
    options: TrainingOptions
    laboratory: Bench | None
    images: ImageSet
    twin: DigitalTwin
    odu: OpticalDenoisingUnit
    schedule: NoiseSchedule
    policy: TimeAwarePolicy
    precompensation_rad: Tensor
    aligned: bool = False
    covariance: Tensor | None = None
    pretrained: bool = False
    spots: Registration | None = None
    position: Position = field(default_factory=Position)
    figures: dict[str, float] = field(default_factory=dict)
    calibrations: dict[str, str] = field(default_factory=dict)
    at_work: dict[str, np.ndarray] = field(default_factory=dict)
    left_at: BenchSnapshot | None = None
    quantiser: PhaseQuantiser | None = None
    resumed: bool = False
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    _checkpoint_s: float = field(default_factory=time.monotonic)

    @classmethod
    def create(
        cls,
        config: BenchConfig,
        options: TrainingOptions,
        bench: Bench | None,
        data_dir: Path | None = None,
    ) -> Session:
        """A fresh session. Raises UserError if images do not fit the patches."""
        images = load_images(
            options.data, options.image_size, options.classes, data_dir, options.seed
        )
        classes = len(set(images.train_labels.tolist()))
        if options.prompt and classes < 2:
            raise UserError(f"prompt: {images.name} has one class; a prompt needs two or more")
        statistics = ImageStatistics(float(images.train.mean()), float(images.train.std()))
        odu = build_odu(config, options, statistics, classes if options.prompt else 0)
        return cls(
            config=config,
            options=options,
            laboratory=bench,
            images=images,
            twin=build_twin(config),
            odu=odu,
            schedule=NoiseSchedule(TIMESTEPS),
            policy=TimeAwarePolicy(TIMESTEPS, options.layer_sets, options.timestep_edges),
            precompensation_rad=torch.zeros(config.layers + 1, *config.cavity.patch_shape),
        )

    @property
    def bench(self) -> Bench:
        """The bench. Raises DeviceStateError if there is none."""
        if self.laboratory is None:
            raise DeviceStateError("bench: none is open; this session has its twin alone")
        return self.laboratory

    def written(self, inputs: Tensor, phases: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (B, h, w) and layers ([B,] N, h, w) as they stand on the modulators, pre-compensated."""
        if self.config.input.kind == "slm_patch":
            inputs = self.shown(inputs + self.precompensation_rad[0])
        return inputs, self.shown(phases + self.precompensation_rad[1:])

    def shown(self, phases: Tensor) -> Tensor:
        """Phases as the SLM shows them, in grey levels; the gradient passes straight through."""
        slm = self.laboratory or self.quantiser
        if slm is None:
            return phases
        steps = torch.from_numpy(slm.realised(phases.detach().numpy()))
        return phases + (steps - phases).detach()

    def measure(self, inputs: Tensor, phases: Tensor) -> Tensor:
        """The bench's answer (B, h, w) to inputs and layers as written."""
        frames = self.bench.measure(inputs.detach().numpy(), phases.detach().numpy())
        return torch.from_numpy(frames.intensity)

    def precompensate(self) -> None:
        """Move what the twin has learnt of tilts and curvature onto the SLM."""
        self.precompensation_rad = self.twin.precompensation_phase()
        self.aligned = True

    @staticmethod
    def first(count: int, inputs: Tensor, phases: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and layers, as written, of the first images; layers that all share stay as they are."""
        return inputs[:count], phases[:count] if phases.dim() == 4 else phases

    def follow(self, inputs: Tensor, phases: Tensor, measured: Tensor) -> None:
        """Take the drift that these frames show, as written, off the bench again: onto the SLM."""
        if self.aligned:
            track_drift(self.twin, inputs, phases, measured)
            self.precompensate()

    @property
    def checkpoint_due(self) -> bool:
        """Was the last one long ago? When they are made changes nothing of what a run does."""
        return time.monotonic() - self._checkpoint_s > self.checkpoint_seconds

    def checkpoint(self, bench: BenchSnapshot | None = None) -> Checkpoint:
        """All that `restore` needs. bench: where it is to be put back to; where it is if not given."""
        self._checkpoint_s = time.monotonic()
        if bench is None and self.laboratory is not None:
            bench = self.laboratory.state()
        where = self.position
        arrays: dict[str, np.ndarray] = {
            "precompensation_rad": self.precompensation_rad.numpy().copy(),
            "real_images": self.images.test[:12].numpy().copy(),
        }
        if self.covariance is not None:
            arrays["covariance"] = self.covariance.numpy().copy()
        scalars: dict[str, float | int | str] = {
            "stage": where.stage,
            "layer_set": where.layer_set,
            "step": where.step,
            "planned": ",".join(where.planned),
            "pretrained": int(self.pretrained),
            "aligned": int(self.aligned),
        }
        for prefix, module in (("odu.", self.odu), ("twin.", self.twin)):
            for name, value in module.state_dict().items():
                arrays[prefix + name] = value.detach().numpy().copy()
        arrays.update({AT_WORK + name: array.copy() for name, array in self.at_work.items()})
        scalars.update({FIGURE + name: value for name, value in self.figures.items()})
        scalars.update({CALIBRATION + name: found for name, found in self.calibrations.items()})
        results: dict[str, Result] = {}
        if bench is not None:
            for name, value in bench.values.items():
                if isinstance(value, np.ndarray):
                    arrays[BENCH + name] = value
                else:
                    scalars[BENCH + name] = value
            results = {
                name: found
                for name, found in (("dark", bench.dark), ("registration", bench.registration))
                if found is not None
            }
        return Checkpoint(arrays, scalars, results)

    def restore(self, run: RunFile) -> None:
        """Take up a recorded run; `go_on` then puts its bench back.

        Raises UserError if it holds no (or another) checkpoint.
        """
        if not run.checkpoint:
            raise UserError(f"{run.path}: stopped before its first checkpoint; start anew")
        kept = Checkpoint(run.checkpoint, run.checkpoint_scalars, run.checkpoint_results)
        self.take_up(kept, str(run.path))

    def take_up(self, kept: Checkpoint, name: str) -> None:
        """The same from the checkpoint alone; name: what to call it in messages. Raises UserError."""
        arrays, scalars = kept.arrays, kept.scalars
        try:
            self.odu.load_state_dict({k: _tensor(v) for k, v in _part("odu.", arrays).items()})
            self.twin.load_alignment({k: _tensor(v) for k, v in _part("twin.", arrays).items()})
            self.precompensation_rad = _tensor(arrays["precompensation_rad"])
            self.covariance = _tensor(arrays["covariance"]) if "covariance" in arrays else None
            planned = str(scalars["planned"])
            self.position = Position(
                str(scalars["stage"]),
                int(scalars["layer_set"]),
                int(scalars["step"]),
                tuple(planned.split(",")) if planned else (),
            )
            self.pretrained, self.aligned = bool(scalars["pretrained"]), bool(scalars["aligned"])
        except (RuntimeError, KeyError) as error:
            raise UserError(f"{name}: its checkpoint does not fit this program: {error}") from None
        self.figures = {k: float(v) for k, v in _part(FIGURE, scalars).items()}
        self.calibrations = {k: str(v) for k, v in _part(CALIBRATION, scalars).items()}
        self.at_work = {k: np.array(v) for k, v in _part(AT_WORK, arrays).items()}
        values = _part(BENCH, {**arrays, **scalars})
        if values:
            dark, registration = map(kept.results.get, ("dark", "registration"))
            assert dark is None or isinstance(dark, DarkLevel)
            assert registration is None or isinstance(registration, Registration)
            self.left_at = BenchSnapshot(values, dark, registration)
        self.resumed = True

    def go_on(self) -> bool:
        """Put the bench back to where a resumed run left it; False if it has to be looked at anew."""
        if self.left_at is None:
            return False
        self.bench.restore(self.left_at)
        return True


def _part(prefix: str, named: Mapping[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in named.items() if k.startswith(prefix)}


def _tensor(array: np.ndarray) -> Tensor:
    """In memory of torch's own, on whose alignment the last bits of a sum may depend."""
    return torch.from_numpy(np.array(array)).clone()


def options_of(run: RunFile) -> TrainingOptions:
    """The options with which a run was recorded."""
    return TrainingOptions.model_validate(json.loads(run.options_json))
