"""The time-aware denoising policy: which layer set works at which timestep (paper, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeAwarePolicy:
    """T timesteps split into M consecutive ranges of (nearly) equal length, one layer set each."""

    steps: int
    layer_sets: int

    def bounds(self, layer_set: int) -> tuple[int, int]:
        """First timestep of a layer set and the first after it."""
        first = layer_set * self.steps // self.layer_sets
        return first, (layer_set + 1) * self.steps // self.layer_sets

    def layer_set(self, t: int) -> int:
        """The layer set that works at timestep t."""
        guess = min(t * self.layer_sets // self.steps, self.layer_sets - 1)
        while t >= self.bounds(guess)[1]:
            guess += 1
        while t < self.bounds(guess)[0]:
            guess -= 1
        return guess
