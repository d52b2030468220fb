"""The options of a training: what was chosen, and defaults that depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from labdiff.config.option import Value
from labdiff.config.options_file import training_options
from labdiff.config.training import TrainingOptions
from labdiff.data.catalogue import for_training
from labdiff.session.layer_file import options_from_layers

TAKEN_FROM_LAYERS = (
    "learning_rate",
    "online_learning_rate",
    "phase_decay",
    "overlap",
    "sampler",
    "sampler_steps",
    "sampler_spacing",
)
"""Options that a layer file brings beside those of its unit; all others have their defaults."""


def chosen_options(
    chosen: Mapping[str, Value], layers: Path | None = None, where: str = "options"
) -> TrainingOptions:
    """Return the options of a training; those not chosen are recommended for the data set, or defaults.

    Args:
        chosen: Values by option name.
        layers: Layer file that brings the options that it was made for, or None.
        where: What messages call the options.

    Raises:
        UserError: For values that are not allowed, or that the layers were not made for.

    Example:
        >>> chosen_options({"data": "mnist"}).image_size
        28
    """
    recommended = for_training(str(chosen.get("data", TrainingOptions().data)))
    start: dict[str, Value] = {"classes": recommended.classes, "image_size": recommended.image_size}
    edges = chosen.get("timestep_edges")
    if isinstance(edges, tuple) and edges:
        start["layer_sets"] = len(edges) + 1
    options = {**start, **chosen}
    if layers is not None:
        defaults = TrainingOptions().model_dump(exclude=set(TAKEN_FROM_LAYERS))
        options = options_from_layers(layers, defaults | options, set(chosen))
    return training_options(options, where)
