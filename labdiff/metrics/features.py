"""Features of images, on which distances between sets of images are computed."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from labdiff.events import EvaluationStep, StageStarted
from labdiff.job import Job
from labdiff.metrics.bootstrap import Values


class FeatureExtractor:
    """A network that maps grey images (B, H, W) in -1 ... 1 to features (B, D).

    The features of images that it has seen are stored: the real images are computed once for several
    generated sets.

    Args:
        name: "inception" or "classifier"; part of the figures' names.
        network: maps images to features.
        preparation: description of what is done to an image first; printed beside every figure.
        head: maps features to class scores; None if there are no classes.
        batch: number of images that are computed at once.
    """

    def __init__(
        self,
        name: Literal["inception", "classifier"],
        network: nn.Module,
        preparation: str,
        head: nn.Module | None = None,
        batch: int = 25,
    ) -> None:
        self.name, self.network, self.preparation = name, network, preparation
        self.head, self.batch = head, batch
        self._known: dict[str, Values] = {}

    def extract(self, images: Tensor, what: str) -> Job[Values]:
        """Return features (N, D) in float64; `what` names the images in the progress report."""
        key = hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()
        if key not in self._known:
            batches = torch.split(images, self.batch)
            where = next(iter(self.network.parameters()), images).device
            yield StageStarted(f"{self.name} features", len(batches))
            found = []
            for index, batch in enumerate(batches):
                with torch.inference_mode():
                    found.append(self.network(batch.to(where)).cpu().double().numpy())
                yield EvaluationStep(index, len(batches), what)
            self._known[key] = np.concatenate(found)
        return self._known[key]

    def probabilities(self, features: Values) -> Values | None:
        """Return class probabilities (N, K) of features (N, D); None if the network has no classes."""
        if self.head is None:
            return None
        with torch.inference_mode():
            scores: Tensor = self.head(torch.from_numpy(features).float())
        found: Values = scores.double().softmax(1).numpy()
        return found
