"""How a hologram is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labdiff.errors import UserError

MOST_FRAMES, MOST_STEPS = 10_000, 100_000


@dataclass(frozen=True, slots=True)
class HologramOptions:
    """How a hologram is made.

    Attributes:
        frames: Frames with the camera in the loop, the first of which shows what the twin alone achieves.
        steps: Steps of the optimisation on the twin before it.
        rate_rad: Learning rate of the first of these steps, radians.
        smoothness: Weight of the phases' roughness, the mean of |e^(i a) - e^(i b)|^2 over neighbours.
        steps_per_frame: Steps from one frame to the next.
        flat_input: Keep the input patch flat, and let the layers alone shape the light.

    Example:
        >>> labdiff.hologram("mock-small", "cat.png", options=labdiff.HologramOptions(frames=40))
    """

    frames: int = 20
    steps: int = 300
    rate_rad: float = 0.1
    smoothness: float = 0.0
    steps_per_frame: int = 20
    flat_input: bool = False

    def check(self) -> None:
        """Raise UserError for a value out of range."""
        for name, value, most in (
            ("frames", self.frames, MOST_FRAMES),
            ("steps", self.steps, MOST_STEPS),
            ("steps per frame", self.steps_per_frame, MOST_STEPS),
        ):
            if not 1 <= value <= most:
                raise UserError(f"{name} = {value}: allowed are 1 ... {most}")
        if not 0.0 < self.rate_rad <= math.pi:
            raise UserError(f"rate = {self.rate_rad:g}: allowed are 0 ... {math.pi:.2f} rad")
        if not (math.isfinite(self.smoothness) and self.smoothness >= 0.0):
            raise UserError(f"smoothness = {self.smoothness:g}: allowed are numbers from 0 on")
