"""The time-aware denoising policy: which layer set works at which timestep (paper, section 3.3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class TimeAwarePolicy:
    """T timesteps split into M consecutive ranges, one layer set each.

    edges: first timesteps of the second, third ... range; the ranges are (nearly) equal if there are
    none. Ranges chosen by difficulty are short where little noise is left: there a unit has most to do.
    Raises ValueError unless there are M - 1 edges that rise within 1 ... T - 1.
    """

    def __init__(self, steps: int, layer_sets: int, edges: Sequence[int] = ()) -> None:
        self.steps, self.layer_sets = steps, layer_sets
        inner = list(edges) or [k * steps // layer_sets for k in range(1, layer_sets)]
        rising = all(a < b for a, b in zip([0, *inner], [*inner, steps], strict=True))
        if len(inner) != layer_sets - 1 or not rising:
            raise ValueError(
                f"timestep edges {inner}: {layer_sets} layer sets need {layer_sets - 1} edges that "
                f"rise within 1 ... {steps - 1}"
            )
        self._firsts = [0, *inner]

    def bounds(self, layer_set: int) -> tuple[int, int]:
        """First timestep of a layer set and the first after it."""
        return self._firsts[layer_set], [*self._firsts[1:], self.steps][layer_set]

    def layer_set(self, t: int) -> int:
        """The layer set that works at timestep t."""
        return bisect_right(self._firsts, t) - 1
