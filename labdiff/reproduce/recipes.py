"""Training options for the paper's results: our recipes and the paper's, at two scales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.data.catalogue import for_training

Recipe = Literal["ours", "clusters", "passive", "paper"]
RECIPES: dict[Recipe, Mapping[str, object]] = {
    # The options that measured best: docs/decisions/0014.
    "ours": {
        "prediction": "preconditioned",
        "detection": "differential",
        "writing": "differential",
        "cells": "soft",
        "layers": "data",
        # The sampler: docs/decisions/0021.
        "sampler_spacing": "linspace",
        "least_t": 190,
        "eta": 2.0,
        "contrast": 1.1,
    },
    # Layer sets for clusters of images, and a plain sampler: docs/decisions/0029.
    "clusters": {
        "prediction": "preconditioned",
        "detection": "differential",
        "writing": "differential",
        "cells": "soft",
        "layers": "data",
        "clusters": 30,
        "first_t": 700,
        "tone_curve": True,
        "sampler_spacing": "linspace",
        "least_t": 50,
    },
    # The same with layers that are the same for all images: one SLM update for a whole batch.
    "passive": {
        "prediction": "preconditioned",
        "detection": "differential",
        "writing": "differential",
        "cells": "soft",
        "layers": "passive",
    },
    # The paper's: the intensity is the noise.
    "paper": {
        "prediction": "epsilon",
        "detection": "cells",
        "writing": "cells",
        "cells": "sharp",
        "layers": "passive",
    },
}
"""Training options of each recipe that are the same at both scales."""
CLUSTER_EDGES = (250, 450)
"""Edges of the timestep ranges of each cluster: few, because each layer set is trained by itself."""
EDGES = (50, 100, 200, 300, 400, 500, 600, 700)
"""Edges of the timestep ranges, by difficulty: from t = 700 on x_t shows little but the mean image."""
PAPER_BATCH = 60
"""Number of images of a training step; the paper does not state its own."""
PAPER_STEPS = 75_000
"""Number of training steps of a layer set: 250 epochs of 18,000 images (section 4.1)."""


def small_bench() -> str:
    """Return the bench file of the small scale: four layers of 100 x 100, like the simulated bench."""
    return bench_text("mock")[1]


def small(data: str, recipe: Recipe, seed: int = 0, **changes: object) -> TrainingOptions:
    """Return training options that take minutes on one core.

    The batch is small: at the same cost many steps learn more than few steps with less noise.

    Args:
        data: a selection by name, such as "mnist-0-2".
        recipe: how units are trained.
        seed: of all random numbers.
        **changes: training options that replace these.
    """
    chosen = for_training(data)
    clustered = recipe == "clusters"
    edges = CLUSTER_EDGES if clustered else EDGES
    options: dict[str, object] = {
        "data": data,
        "classes": chosen.classes,
        "image_size": 20,
        "layer_sets": len(edges) + 1,
        "timestep_edges": edges,
        "offline_steps": 6_000,
        # Layer sets of clusters start from one another.
        "further_steps": 0.2 if clustered else 1.0,
        "batch": 4,
        "learning_rate": 0.1,
        "phase_decay": 0.01,
        "seed": seed,
        **RECIPES[recipe],
        **changes,
    }
    return TrainingOptions.model_validate(options)


def paper(data: str, recipe: Recipe, seed: int = 0, **changes: object) -> TrainingOptions:
    """Return training options of the paper's sizes (sections 3.3, 4.1): M = 10 equal ranges, 250 epochs.

    The recipe "paper" has also the paper's learning rate, 0.006, and its sampler with all 1,000 steps.

    Args:
        data: a selection by name, such as "mnist-0-2".
        recipe: how units are trained.
        seed: of all random numbers.
        **changes: training options that replace these.
    """
    chosen = for_training(data)
    options: dict[str, object] = {
        "data": data,
        "classes": chosen.classes,
        "image_size": chosen.image_size,
        "layer_sets": 10,
        "offline_steps": PAPER_STEPS,
        "further_steps": 1.0,
        "batch": PAPER_BATCH,
        "learning_rate": 0.1,
        "phase_decay": 0.01,
        "seed": seed,
        **RECIPES[recipe],
    }
    if recipe == "paper":
        options |= {
            "learning_rate": 0.006,
            "phase_decay": 0.0,
            "sampler": "paper",
            "sampler_steps": 1000,
            "sampler_spacing": "linspace",
        }
    return TrainingOptions.model_validate(options | changes)
