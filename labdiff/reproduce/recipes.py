"""How units are trained for the paper's results: ours, and the paper's, at two scales."""

from __future__ import annotations

from typing import Any, Literal

from labdiff.config import TrainingOptions, bench_text
from labdiff.data.catalogue import for_training

Recipe = Literal["ours", "passive", "paper"]
RECIPES: dict[Recipe, dict[str, Any]] = {
    # What measured best: docs/decisions/0014.
    "ours": {"prediction": "preconditioned", "detection": "differential", "layers": "data"},
    # The same with layers that do not know the image: one SLM update for a whole batch.
    "passive": {"prediction": "preconditioned", "detection": "differential", "layers": "passive"},
    # The paper's: the intensity is the noise.
    "paper": {"prediction": "epsilon", "detection": "cells", "layers": "passive"},
}
EDGES = (100, 200, 300, 400, 500, 600)
"""Timestep ranges by difficulty: from t = 600 on little more than the mean image can be told."""


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
        "offline_steps": 12_000,
        "further_steps": 0.5,
        "batch": 4,
        "learning_rate": 0.1,
        "phase_pull": 0.01,
        "seed": seed,
        **RECIPES[recipe],
        **changes,
    }
    return TrainingOptions(**options)
