"""How units are trained for the paper's results: ours, and the paper's, at two scales."""

from __future__ import annotations

from typing import Any, Literal

from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.data.catalogue import for_training

Recipe = Literal["ours", "passive", "paper"]
RECIPES: dict[Recipe, dict[str, Any]] = {
    # What measured best: docs/decisions/0014.
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
    # The same with layers that do not know the image: one SLM update for a whole batch.
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
EDGES = (50, 100, 200, 300, 400, 500, 600, 700)
"""Timestep ranges by difficulty: from t = 700 on little more than the mean image can be told."""


PAPER_BATCH = 60
PAPER_STEPS = 75_000
"""250 epochs of 18,000 images (section 4.1), in batches of 60: the paper does not say its own."""


def small_bench() -> str:
    """Bench file of the small scale: four layers of 100 x 100, which the simulated bench has too."""
    return bench_text("mock")[1]


def small(data: str, recipe: Recipe, seed: int = 0, **changes: Any) -> TrainingOptions:
    """Minutes of one core. The batch is small: as many steps as can be had do more than quiet ones.

    data: a selection by name, such as "mnist-0-2". changes: any training options instead of these.
    """
    chosen = for_training(data)
    options: dict[str, Any] = {
        "data": data,
        "classes": chosen.classes,
        "image_size": 20,
        "layer_sets": len(EDGES) + 1,
        "timestep_edges": EDGES,
        "offline_steps": 6_000,
        "further_steps": 1.0,
        "batch": 4,
        "learning_rate": 0.1,
        "phase_decay": 0.01,
        "seed": seed,
        **RECIPES[recipe],
        **changes,
    }
    return TrainingOptions(**options)


def paper(data: str, recipe: Recipe, seed: int = 0, **changes: Any) -> TrainingOptions:
    """The paper's sizes (sections 3.3, 4.1): M = 10 equal ranges, 250 epochs each.

    The recipe "paper" has its learning rate, 0.006, and its sampler, all 1,000 steps, too.
    """
    chosen = for_training(data)
    options: dict[str, Any] = {
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
    return TrainingOptions(**(options | changes))
