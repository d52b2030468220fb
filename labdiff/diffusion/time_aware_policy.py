"""The denoising policy: which layer set denoises which cluster of images at which timestep.

By time it is the paper's (section 3.3); clusters are ours (docs/decisions/0029-clusters.md).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class TimeAwarePolicy:
    """Timesteps split into M consecutive ranges, one layer set each, and that for every cluster.

    Layer sets are numbered cluster by cluster, within a cluster by rising t.

    Example:
        TimeAwarePolicy(1000, 5).layer_set(250)  # 1
        TimeAwarePolicy(700, 3, clusters=4).layer_set(250, cluster=2)  # 7

    Args:
        steps: number of timesteps that are denoised, T, or fewer where the reverse process starts later.
        layer_sets: number of ranges M.
        edges: first timesteps of the second, third ... range; (nearly) equal ranges if empty. Ranges
            chosen by difficulty are short where little noise is left: there denoising is hardest.
        clusters: number of clusters of images; 1 if all images are denoised alike.

    Raises:
        ValueError: there are not M - 1 edges, or they do not rise within 1 ... T - 1.
    """

    def __init__(
        self, steps: int, layer_sets: int, edges: Sequence[int] = (), clusters: int = 1
    ) -> None:
        self.steps, self.ranges, self.clusters = steps, layer_sets, clusters
        inner = list(edges) or [k * steps // layer_sets for k in range(1, layer_sets)]
        rising = all(a < b for a, b in zip([0, *inner], [*inner, steps], strict=True))
        if len(inner) != layer_sets - 1 or not rising:
            raise ValueError(
                f"timestep edges {inner}: {layer_sets} layer sets need {layer_sets - 1} edges that "
                f"rise within 1 ... {steps - 1}"
            )
        self._firsts = [0, *inner]

    @property
    def layer_sets(self) -> int:
        """Number of layer sets: of every range of every cluster."""
        return self.ranges * self.clusters

    def bounds(self, layer_set: int) -> tuple[int, int]:
        """Return the first timestep of a layer set, and the first one after it."""
        index = layer_set % self.ranges
        return self._firsts[index], [*self._firsts[1:], self.steps][index]

    def cluster(self, layer_set: int) -> int:
        """Return the cluster whose images a layer set denoises."""
        return layer_set // self.ranges

    def layer_set(self, t: int, cluster: int = 0) -> int:
        """Return the layer set that denoises images of a cluster at timestep t."""
        return cluster * self.ranges + bisect_right(self._firsts, t) - 1
