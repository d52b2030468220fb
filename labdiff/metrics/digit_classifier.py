"""Recognise digits: a small classifier, trained by the program on the real images."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

CONFIDENCE = 0.9
"""Confidence above which an image counts as recognised."""


class DigitClassifier:
    """A network of one hidden layer of 128 units, fitted to real images, clean and noisy.

    Example:
        share = DigitClassifier(images.train, images.train_labels).share_recognised(generated)

    Args:
        images: training images of all classes, (B, H, W) in -1 ... 1.
        labels: their classes, (B,).
        seed: of the weights and of the noise.
    """

    def __init__(self, images: Tensor, labels: Tensor, seed: int = 0) -> None:
        # Here, as it takes a second of CPU time: every job's process imports this file, few classify.
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        rng = np.random.default_rng(seed)
        clean = images.numpy()
        noisy = clean + rng.normal(0.0, 0.15, clean.shape).astype(np.float32)
        flat = np.concatenate([clean, noisy]).reshape(2 * len(clean), -1)
        self._network = MLPClassifier((128,), alpha=1e-2, max_iter=120, random_state=seed)
        # Matrices this small take ten times as long with a second thread, which waits for the first.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._network.fit(flat, np.tile(labels.numpy(), 2))

    def confidence(self, images: Tensor) -> npt.NDArray[np.float64]:
        """Return the probability of each image's likeliest class, (B,)."""
        flat = images.clamp(-1.0, 1.0).numpy().reshape(len(images), -1)
        return np.asarray(self._network.predict_proba(flat).max(axis=1))

    def classify(self, images: Tensor) -> Tensor:
        """Return the likeliest class of each image, (B,)."""
        flat = images.clamp(-1.0, 1.0).numpy().reshape(len(images), -1)
        return torch.from_numpy(np.asarray(self._network.predict(flat)))

    def share_recognised(self, images: Tensor) -> float:
        """Return the share of the images that are recognised with a confidence above 0.9."""
        return float((self.confidence(images) > CONFIDENCE).mean())
