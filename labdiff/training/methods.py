"""The ways to train, by name."""

from __future__ import annotations

import math
from typing import Literal

from labdiff.config.training import TrainingOptions

Method = Literal["offline", "calibrated", "physics_aware", "online"]
STAGES: dict[Method, str] = {
    "offline": "learning on the data sheet's twin",
    "calibrated": "learning on the calibrated twin",
    "physics_aware": "learning on the bench, twin fixed",
    "online": "online learning",
}


def step_counts(options: TrainingOptions, method: Method) -> list[int]:
    """Steps of each layer set.

    The first one, for the least noise, has the most to learn. On a twin the next ones start from the one
    before, since neighbouring timestep ranges need similar light; started anew, those for much noise
    never find that light can tell them anything, and predict the mean image.
    """
    first = {"offline": options.offline_steps, "calibrated": options.calibrated_steps}.get(
        method, options.online_steps
    )
    further = math.ceil(options.further_steps * first)
    return [first] + [further] * (options.layer_sets - 1)
