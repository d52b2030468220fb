"""What a training session holds, and how it is kept and taken up again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from drivers.errors import DeviceStateError
from labdiff.assemble import build_odu, build_twin
from labdiff.bench import Bench
from labdiff.config import TIMESTEPS, BenchConfig, TrainingOptions
from labdiff.data import ImageSet, load_images
from labdiff.diffusion.policy import TimeAwarePolicy
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.errors import UserError
from labdiff.events import Checkpoint
from labdiff.reader import RunFile
from twin.digital_twin import DigitalTwin
from twin.odu import ImageStatistics, OpticalDenoisingUnit
from twin.track import track_drift


@dataclass(slots=True)
class Position:
    """Where training is: the next step of the next layer set of a stage."""

    stage: str = "offline"
    layer_set: int = 0
    step: int = 0


@dataclass(slots=True)
class Session:
    """Unit, twin, data and schedule of one run; the bench is lent to it.

    Without a bench (None) it learns and generates on the data sheet's twin alone.

    precompensation_rad: (N + 1, h, w), written on the SLM on top of input and layers, undoes the
    tilts that the twin has learnt. Bench and twin both see it. aligned: the twin knows this bench.
    pretrained: the layers came from a file; every layer set goes on from its own.
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
    pretrained: bool = False
    position: Position = field(default_factory=Position)
    figures: dict[str, float] = field(default_factory=dict)

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
        if self.laboratory is None:
            return phases
        steps = torch.from_numpy(self.bench.realised(phases.detach().numpy()))
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

    def checkpoint(self) -> Checkpoint:
        """All that `restore` needs."""
        arrays: dict[str, np.ndarray] = {
            "precompensation_rad": self.precompensation_rad.numpy().copy(),
            "real_images": self.images.test[:12].numpy().copy(),
        }
        for prefix, module in (("odu", self.odu), ("twin", self.twin)):
            for name, value in module.state_dict().items():
                arrays[f"{prefix}.{name}"] = value.detach().numpy().copy()
        where = self.position
        return Checkpoint(
            arrays,
            {
                "stage": where.stage,
                "layer_set": where.layer_set,
                "step": where.step,
                "pretrained": int(self.pretrained),
            },
        )

    def restore(self, run: RunFile) -> None:
        """Take up a recorded run. Raises UserError if it holds no (or another) checkpoint."""
        if not run.checkpoint:
            raise UserError(f"{run.path}: stopped before its first checkpoint; start anew")

        def part(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): torch.from_numpy(np.array(value))
                for name, value in run.checkpoint.items()
                if name.startswith(prefix)
            }

        try:
            self.odu.load_state_dict(part("odu."))
            self.twin.load_alignment(part("twin."))
            self.precompensation_rad = torch.from_numpy(
                np.array(run.checkpoint["precompensation_rad"])
            )
            scalars = run.checkpoint_scalars
            self.position = Position(
                str(scalars["stage"]), int(scalars["layer_set"]), int(scalars["step"])
            )
            self.pretrained = bool(scalars.get("pretrained", 0))
        except (RuntimeError, KeyError) as error:
            raise UserError(
                f"{run.path}: its checkpoint does not fit this program: {error}"
            ) from None
        self.figures = dict(run.figures)


def options_of(run: RunFile) -> TrainingOptions:
    """The options with which a run was recorded."""
    return TrainingOptions.model_validate(json.loads(run.options_json))
