"""Wiener's predictions where the cluster of an image is known: the yardstick of a unit of clusters."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.metrics.baselines import WienerDenoiser, WienerFilter
from labdiff.metrics.noise_error import Predictor
from labdiff.session.training_session import TrainingSession

Kind = Callable[[Tensor, NoiseSchedule], WienerDenoiser | WienerFilter]
"""A Wiener predictor, made of training images (N, H, W) and the schedule."""


class ClusterWieners:
    """One linear predictor for each cluster, of its training images; without clusters a single one.

    Args:
        session: its images and its clusters.
        kind: one map for a range of 100 timesteps, or one for each timestep.
    """

    def __init__(self, session: TrainingSession, kind: Kind = WienerDenoiser) -> None:
        self._session, self._kind = session, kind
        self._made: dict[int, Predictor] = {}

    def knowing(self, clean: Tensor) -> Predictor:
        """Return a predictor of noisy images that knows the cluster of each.

        Args:
            clean: (B, H, W), the images without noise, in the order in which they are predicted.
        """
        clusters = self._session.clusters_of(clean)
        if clusters is None:
            return self.of_cluster(0)

        def predict(x_t: Tensor, t: Tensor) -> Tensor:
            predicted = torch.empty_like(x_t)
            for cluster in sorted(set(clusters.tolist())):
                mine = clusters == cluster
                predicted[mine] = self.of_cluster(cluster)(x_t[mine], t[mine])
            return predicted

        return predict

    def of_cluster(self, cluster: int) -> Predictor:
        """Return the predictor of one cluster, made at its first use."""
        if cluster not in self._made:
            session = self._session
            images = session.images.train[session.members[cluster]]
            self._made[cluster] = self._kind(images, session.schedule)
        return self._made[cluster]
