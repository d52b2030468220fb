"""Does it look like a digit? A small classifier trained by the program on the real images."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import Tensor

CONFIDENCE = 0.9


class DigitClassifier:
    """One hidden layer of 128 units on all classes of the data set, fitted with small shifts and noise.

    images (B, H, W) in -1 ... 1, labels (B,); seeded. It is trained on real images alone.
    """

    def __init__(self, images: Tensor, labels: Tensor, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        clean = images.numpy()
        noisy = clean + rng.normal(0.0, 0.15, clean.shape).astype(np.float32)
        flat = np.concatenate([clean, noisy]).reshape(2 * len(clean), -1)
        self._network = MLPClassifier((128,), alpha=1e-2, max_iter=120, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._network.fit(flat, np.tile(labels.numpy(), 2))

    def confidence(self, images: Tensor) -> npt.NDArray[np.float64]:
        """Probability of the likeliest class, (B,)."""
        flat = images.clamp(-1.0, 1.0).numpy().reshape(len(images), -1)
        return np.asarray(self._network.predict_proba(flat).max(axis=1))

    def called(self, images: Tensor) -> Tensor:
        """The likeliest class of each, (B,)."""
        flat = images.clamp(-1.0, 1.0).numpy().reshape(len(images), -1)
        return torch.from_numpy(np.asarray(self._network.predict(flat)))

    def share_recognised(self, images: Tensor) -> float:
        """Share of the images called some class with a confidence above 0.9."""
        return float((self.confidence(images) > CONFIDENCE).mean())
