"""Figures of a set of images that reveal a collapsed generator, or one that repeats its training images.

Beside a Frechet distance, which ten images that are drawn over and over can make small.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from labdiff.data.image_set import ImageSet
from labdiff.events import EvaluationStep, StageStarted
from labdiff.job import Job
from labdiff.metrics.bootstrap import RESAMPLES, Values, interval_around, resample_counts
from labdiff.metrics.classes import class_shares, variance_within
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import ImageFigure, ImageMetrics
from labdiff.metrics.neighbours import nearest_distances

MOST_REAL = 10_000
"""Largest number of real images whose classes and variance are computed."""


def variety_metrics(
    generated: Tensor,
    images: ImageSet,
    classifier: FeatureExtractor,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Job[ImageMetrics]:
    """Compute nearest, variance_within and share_error of generated images, beside held-out real ones.

    nearest: mean RMS difference, on the scale of -1 ... 1, from the nearest training image. Below that of
    held-out images the generator repeats what it was trained on. variance_within: variance of the pixels
    within classes over that of real training images; well below 1 the generator draws few different
    images of a class. share_error: largest difference of a class's share from that of the training images.

    Example:
        metrics = run(variety_metrics(generated, images, classifier.extractor))
        print(metrics.figure("variance_within"))

    Args:
        generated: generated images, (N, H, W) in -1 ... 1.
        images: the real ones.
        classifier: finds the classes; without a head all images are of one class, and there is no
            share_error.
        seed: of the resamples.
        resamples: number of resamples of the intervals.
    """
    yield StageStarted("variety", 3)
    train, test = images.train[:MOST_REAL], images.test[: len(generated)]
    every, pixels = images.train.flatten(1).double().numpy(), _flat(generated)
    counts = resample_counts(len(generated), resamples, seed)
    nearest = nearest_distances(pixels, every)
    floor = float(nearest_distances(_flat(test), every).mean())
    found = [_figure("nearest", float(nearest.mean()), counts @ nearest / len(generated), floor)]
    yield EvaluationStep(0, 3, "nearest training images")

    labels = yield from _labels(generated, classifier, "generated")
    real_labels = yield from _labels(train, classifier, "real, training")
    test_labels = yield from _labels(test, classifier, "real, held out")
    real = float(variance_within(_flat(train), real_labels, _once(train))[0])
    # Images that are all alike have no variance to compare with.
    scale = 1.0 / real if real > 0.0 else np.nan
    found.append(
        _figure(
            "variance_within",
            scale * float(variance_within(pixels, labels, _once(generated))[0]),
            scale * variance_within(pixels, labels, counts),
            scale * float(variance_within(_flat(test), test_labels, _once(test))[0]),
        )
    )
    yield EvaluationStep(1, 3, "variance within classes")
    classes = int(max(labels.max(), real_labels.max(), test_labels.max())) + 1
    if classifier.head is not None:
        wanted = class_shares(real_labels, classes, _once(train))

        def error(labels: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Values:
            errors: Values = np.abs(class_shares(labels, classes, counts) - wanted).max(1)
            return errors

        value = float(error(labels, _once(generated))[0])
        floor = float(error(test_labels, _once(test))[0])
        found.append(_figure("share_error", value, error(labels, counts), floor))
    yield EvaluationStep(2, 3, "shares of classes")
    preparation = (
        f"pixels at {images.train.shape[1]}x{images.train.shape[2]}; nearest of {len(every)} training "
        f"images; classes found by the {classifier.name}"
    )
    return ImageMetrics(
        tuple(found), "variety", preparation, len(generated), len(test), seed, resamples
    )


def _figure(name: str, value: float, resampled: Values, real: float) -> ImageFigure:
    low, high = interval_around(value, resampled, 0.0)
    return ImageFigure(name, value, low, high, real)


def _labels(images: Tensor, classifier: FeatureExtractor, what: str) -> Job[npt.NDArray[np.int64]]:
    features = yield from classifier.extract(images, what)
    probabilities = classifier.probabilities(features)
    if probabilities is None:
        return np.zeros(len(images), np.int64)
    labels: npt.NDArray[np.int64] = probabilities.argmax(1)
    return labels


def _once(images: Tensor) -> npt.NDArray[np.int64]:
    return np.ones((1, len(images)), np.int64)


def _flat(images: Tensor) -> Values:
    flat: Values = images.flatten(1).double().numpy()
    return flat
