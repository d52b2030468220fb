"""Trained units for the paper's results, their images along t and their errors, each computed once.

All results store their units in one folder, under names that follow from bench and options, so that a unit
that one result has trained is read by the others.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

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
from labdiff.reproduce.result_cache import cached_rows, write_file
from labdiff.session.training_session import TrainingSession
from labdiff.training.twin_only import TwinTraining


@dataclass(frozen=True, slots=True)
class Unit:
    """A trained unit and its run file; its images and scores are stored in files beside it."""

    session: TrainingSession
    run_file: Path

    def beside(self, ending: str) -> Path:
        """Return the file NAME-ENDING beside the run file NAME.h5."""
        return self.run_file.with_name(f"{self.run_file.stem}-{ending}")

    @property
    def sizes(self) -> str:
        """Description of the layers and layer sets."""
        sets, layers, height, width = self.session.odu.phases.shape
        return (
            f"{layers} layers of {height} x {width}, {sets} layer sets (paper 4 of 300 x 300, 10)"
        )

    @property
    def parameters(self) -> int:
        """Number of trained phases: M x N x height x width."""
        return self.session.odu.phases.numel()


@dataclass(frozen=True, slots=True)
class ImagesAlongT:
    """Images (points, count, H, W) along the reverse process; t: noise steps left, 0 at the end."""

    t: tuple[int, ...]
    images: Tensor


def standard_bench(context: Context) -> str:
    """Return the bench file of the scale: four layers of 100 x 100, or the paper's of 300 x 300."""
    return context.choose(recipes.small_bench, paper_bench)()


def standard_options(
    context: Context, data: str, recipe: Recipe, **changes: object
) -> TrainingOptions:
    """Return the training options of the scale.

    Args:
        context: of the reproduction.
        data: a selection by name.
        recipe: how units are trained.
        **changes: training options that replace the scale's.
    """
    options = context.choose(recipes.small, recipes.paper)
    return options(data, recipe, context.seed, **changes)


def trained_unit(context: Context, bench: str, options: TrainingOptions) -> Job[Unit]:
    """Train a unit on the twin of a bench, resume its training, or only read it.

    Args:
        context: of the reproduction.
        bench: text of the bench file.
        options: training options.
    """
    config = parse_bench(bench, "bench file")
    height, width = config.cavity.patch_shape
    fingerprint = digest(bench + options.model_dump_json(by_alias=True, exclude={"device"}))
    name = (
        f"{Path(options.data).stem}-{options.prediction}-{options.layers}-"
        f"{options.layer_sets}x{config.layers}x{height}x{width}-{fingerprint}"
    )
    path = replace(context, name="units").stored(f"{name}.h5")
    training = TwinTraining(path, bench, options, context.data_dir)
    return Unit((yield from training.job()), path)


def held_out_error(unit: Unit) -> Job[Row]:
    """Compute noise_mse, mse_identity and mse_wiener on the same held-out images, t from 100 on."""

    def find() -> Job[list[Row]]:
        yield StageStarted("error on held-out images", 2)
        found: Row = {"noise_mse": score(unit.session, "twin")[0]}
        yield EvaluationStep(0, 2, "unit")
        found |= baselines(unit.session)
        yield EvaluationStep(1, 2, "identity and Wiener")
        return [found]

    return (yield from cached_rows(unit.beside("error.json"), find))[0]


def images_along_t(unit: Unit, count: int, points: int) -> Job[ImagesAlongT]:
    """Generate images on the twin, and store them at some moments of the reverse process.

    Values are clamped to -1 ... 1, as on a screen.

    Args:
        unit: the trained unit.
        count: number of images.
        points: number of moments; the last one is the result.
    """
    path = unit.beside(f"{count}-images-{points}.npz")
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return ImagesAlongT(tuple(file["t"].tolist()), torch.from_numpy(file["images"]))
    options = unit.session.options
    times = sampler_of(options, first_t=options.first_t).timesteps(unit.session.schedule)
    # Chosen from the last one backwards: a single moment is the result itself.
    moments = np.unique(np.linspace(len(times) - 1, 0, points).round().astype(int)).tolist()
    stored = []
    for event in generate(unit.session, count, "twin"):
        yield event
        if isinstance(event, GenerationStep) and event.step in moments:
            stored.append(torch.from_numpy(event.images).clamp(-1.0, 1.0))
    left = [*(t + 1 for t in times[1:]), 0]
    found = ImagesAlongT(tuple(left[k] for k in moments), torch.stack(stored))
    content = io.BytesIO()
    np.savez_compressed(content, t=np.array(found.t), images=found.images.numpy())
    write_file(path, content.getvalue())
    return found
