"""Units for the paper's results: trained, their images along t, their errors, each kept and found once.

All results keep theirs in one folder, under names that follow from bench and options: what one result has
trained the others find.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from labdiff.atomic_write import digest
from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import EvaluationStep, GenerationStep, StageStarted
from labdiff.generation.denoise import baselines, score
from labdiff.generation.sample import generate, sampler_of
from labdiff.job import Job
from labdiff.reproduce import recipes
from labdiff.reproduce.bench_sizes import paper_bench
from labdiff.reproduce.context import Context
from labdiff.reproduce.recipes import Recipe
from labdiff.reproduce.result import Row
from labdiff.reproduce.result_cache import keep, kept_rows
from labdiff.session.training_session import TrainingSession
from labdiff.training.twin_only import TwinTraining


@dataclass(frozen=True, slots=True)
class Unit:
    """A trained unit and its run file; what is found of it is kept in files beside that."""

    session: TrainingSession
    run_file: Path

    def beside(self, ending: str) -> Path:
        """The file NAME-ENDING for the run file NAME.h5."""
        return self.run_file.with_name(f"{self.run_file.stem}-{ending}")

    @property
    def sizes(self) -> str:
        """Layers and layer sets, in words."""
        sets, layers, height, width = self.session.odu.phases.shape
        return (
            f"{layers} layers of {height} x {width}, {sets} layer sets (paper 4 of 300 x 300, 10)"
        )

    @property
    def parameters(self) -> int:
        """Trained phases: M x N x height x width."""
        return self.session.odu.phases.numel()


@dataclass(frozen=True, slots=True)
class ImagesAlongT:
    """Images (points, count, H, W) as the reverse process goes; t: noise steps left, 0 at the end."""

    t: tuple[int, ...]
    images: Tensor


def standard_bench(context: Context) -> str:
    """Bench file of the scale: four layers of 100 x 100, or the paper's of 300 x 300."""
    return context.choose(recipes.small_bench, paper_bench)()


def standard_options(
    context: Context, data: str, recipe: Recipe, **changes: Any
) -> TrainingOptions:
    """Training options of the scale; changes: any of them instead."""
    options = context.choose(recipes.small, recipes.paper)
    return options(data, recipe, context.seed, **changes)


def trained_unit(context: Context, bench: str, options: TrainingOptions) -> Job[Unit]:
    """Train on the twin of a bench file's text, or go on with the run file, or only read it."""
    config = parse_bench(bench, "bench file")
    height, width = config.cavity.patch_shape
    mark = digest(bench + options.model_dump_json(by_alias=True))
    name = (
        f"{Path(options.data).stem}-{options.prediction}-{options.layers}-"
        f"{options.layer_sets}x{config.layers}x{height}x{width}-{mark}"
    )
    path = replace(context, name="units").kept(f"{name}.h5")
    training = TwinTraining(path, bench, options, context.data_dir)
    return Unit((yield from training.job()), path)


def held_out_error(unit: Unit) -> Job[Row]:
    """noise_mse, mse_identity and mse_wiener on the same held-out images, t from 100 on."""

    def find() -> Job[list[Row]]:
        yield StageStarted("error on held-out images", 2)
        found: Row = {"noise_mse": score(unit.session, "twin")[0]}
        yield EvaluationStep(0, 2, "unit")
        found |= baselines(unit.session)
        yield EvaluationStep(1, 2, "identity and Wiener")
        return [found]

    return (yield from kept_rows(unit.beside("error.json"), find))[0]


def images_along_t(unit: Unit, count: int, points: int) -> Job[ImagesAlongT]:
    """Generate `count` images on the twin, and keep `points` moments of the way; the last are the images.

    Values are clamped to -1 ... 1, as a screen would show them.
    """
    path = unit.beside(f"{count}-images-{points}.npz")
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return ImagesAlongT(tuple(file["t"].tolist()), torch.from_numpy(file["images"]))
    times = sampler_of(unit.session).timesteps(unit.session.schedule)
    # From the last on backwards: a single moment is the images themselves.
    moments = np.unique(np.linspace(len(times) - 1, 0, points).round().astype(int)).tolist()
    shown = []
    for event in generate(unit.session, count, "twin"):
        yield event
        if isinstance(event, GenerationStep) and event.step in moments:
            shown.append(torch.from_numpy(event.images).clamp(-1.0, 1.0))
    left = [*(t + 1 for t in times[1:]), 0]
    found = ImagesAlongT(tuple(left[k] for k in moments), torch.stack(shown))
    content = io.BytesIO()
    np.savez_compressed(content, t=np.array(found.t), images=found.images.numpy())
    keep(path, content.getvalue())
    return found
