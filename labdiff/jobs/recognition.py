"""Score generated digits by a classifier of real ones."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from labdiff.config.training import TrainingOptions
from labdiff.data.image_set import ImageSet, load_images
from labdiff.data.readers.raw import Background
from labdiff.metrics.digit_classifier import DigitClassifier


def recognised(
    options: TrainingOptions, images: Tensor, prompted: Tensor | None = None
) -> dict[str, float]:
    """Return the shares of images that a classifier, trained on all ten classes, is sure of.

    Args:
        options: of the training: data set, image size, seed.
        images: (count, H, W), generated.
        prompted: (count,), class numbers that were prompted; None without prompts.

    Returns:
        recognised_generated, recognised_real and recognised_noise, and with prompts recognised_as_asked,
        the share that the classifier calls what was prompted.
    """
    real, classifier = _classifier(
        options.data, options.image_size, options.seed, options.white, options.background
    )
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(options.seed))
    shares = {
        "recognised_generated": classifier.share_recognised(images),
        "recognised_real": classifier.share_recognised(real.test),
        "recognised_noise": classifier.share_recognised(noise),
    }
    if prompted is not None:
        same = classifier.classify(images) == prompted
        shares["recognised_as_asked"] = float(same.float().mean())
    return shares


@lru_cache(maxsize=1)
def _classifier(
    data: str, image_size: int, seed: int, white: int, background: Background
) -> tuple[ImageSet, DigitClassifier]:
    """Return the real images of all ten classes and their classifier, which a process trains once."""
    real = load_images(data, image_size, (), None, seed, white or None, background)
    return real, DigitClassifier(real.train, real.train_labels, seed)
