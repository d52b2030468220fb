"""Features of images: what the distances between sets of images are taken on."""

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
    """A network that makes features (B, D) of grey images (B, H, W) in -1 ... 1.

    name: "inception" or "classifier"; it tells what the figures are called. preparation: what is done
    to an image before, in words, to be printed beside every figure. head: makes class scores of
    features, None if there are no classes. batch: images at a time.

    Images that it has seen it answers from memory: several generated sets beside the same real ones
    cost the real ones once.
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
        """Features (N, D) in float64; `what` names the images in the progress."""
        key = hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()
        if key not in self._known:
            batches = torch.split(images, self.batch)
            yield StageStarted(f"{self.name} features", len(batches))
            found = []
            for index, batch in enumerate(batches):
                with torch.inference_mode():
                    found.append(self.network(batch).double().numpy())
                yield EvaluationStep(index, len(batches), what)
            self._known[key] = np.concatenate(found)
        return self._known[key]

    def probabilities(self, features: Values) -> Values | None:
        """Class probabilities (N, K) of features (N, D); None where the network has no classes."""
        if self.head is None:
            return None
        with torch.inference_mode():
            scores: Tensor = self.head(torch.from_numpy(features).float())
        found: Values = scores.double().softmax(1).numpy()
        return found
