"""The methods of training, and how many steps each has."""

from __future__ import annotations

import math
from typing import Literal

from labdiff.config.training import TrainingOptions

Method = Literal[
    "offline", "calibrated", "further", "physics_aware", "spsa", "policy_gradient", "online"
]
STAGES: dict[Method, str] = {
    "offline": "learning on the data sheet's twin",
    "calibrated": "learning on the calibrated twin",
    "further": "learning on, on the calibrated twin",
    "physics_aware": "learning on the bench, twin fixed",
    "spsa": "learning by light alone, simultaneous perturbation",
    "policy_gradient": "learning by light alone, policy gradient",
    "online": "online learning",
}
"""Names of the stages of a job, by method."""
ON_BENCH: tuple[Method, ...] = ("physics_aware", "spsa", "policy_gradient", "online")
"""Methods whose steps take frames of the bench."""
COMPARISONS: tuple[Method, ...] = ("further", "physics_aware")
PEERS: tuple[Method, ...] = ("spsa", "policy_gradient")
"""Methods that stand beside online learning: usual ones, and those without a twin."""
FRAMES_AN_IMAGE: dict[Method, int] = {"spsa": 2}
"""Frames that a step of a method takes for each image; 1 where nothing is said."""


def compared_methods(options: TrainingOptions) -> tuple[Method, ...]:
    """Return the methods that a job compares with online learning, from the layers with which it starts."""
    if options.online_steps == 0:
        return ()
    return (COMPARISONS if options.comparisons else ()) + (PEERS if options.peers else ())


def step_counts(options: TrainingOptions, method: Method) -> list[int]:
    """Return the number of steps of each layer set.

    The first one, for the least noise, has the most to learn. On a twin the next ones start from the one
    before, since neighbouring timestep ranges need similar layers; trained from rest, those for much noise
    never find that the image carries information, and predict the mean image. Further steps on the
    calibrated twin are as many as online learning makes on bench and twin together; what is compared on
    the bench has the same number of frames.
    """
    online = options.online_steps * (1 + options.twin_steps if method == "further" else 1)
    first = {"offline": options.offline_steps, "calibrated": options.calibrated_steps}.get(
        method, math.ceil(online / FRAMES_AN_IMAGE.get(method, 1))
    )
    further = math.ceil(options.further_steps * first)
    return [first] + [further] * (options.all_layer_sets - 1)
