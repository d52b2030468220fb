"""Score generated digits by a classifier of real ones."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.config.training import TrainingOptions
from labdiff.data.image_set import load_images
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
    real = load_images(
        options.data,
        options.image_size,
        (),
        None,
        options.seed,
        options.white or None,
        options.background,
    )
    classifier = DigitClassifier(real.train, real.train_labels, options.seed)
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
