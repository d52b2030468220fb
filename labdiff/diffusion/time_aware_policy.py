"""The time-aware denoising policy: which layer set denoises at which timestep (paper, section 3.3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class TimeAwarePolicy:
    """T timesteps split into M consecutive ranges, one layer set each.

    Example:
        TimeAwarePolicy(1000, 5).layer_set(250)  # 1

    Args:
        steps: number of timesteps T.
        layer_sets: number of ranges M.
        edges: first timesteps of the second, third ... range; (nearly) equal ranges if empty. Ranges
            chosen by difficulty are short where little noise is left: there denoising is hardest.

    Raises:
        ValueError: there are not M - 1 edges, or they do not rise within 1 ... T - 1.
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
        """Return the first timestep of a layer set, and the first one after it."""
        return self._firsts[layer_set], [*self._firsts[1:], self.steps][layer_set]

    def layer_set(self, t: int) -> int:
        """Return the layer set that denoises at timestep t."""
        return bisect_right(self._firsts, t) - 1
