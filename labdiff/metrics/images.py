"""Distances of generated images from real ones, each with its interval and its floor.

The same functions serve any set of images: of the bench, of its twin, of a digital denoiser.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from labdiff.events import EvaluationStep, StageStarted
from labdiff.job import Job
from labdiff.metrics.bootstrap import RESAMPLES, Values, interval_around, resample_counts
from labdiff.metrics.class_score import class_score, resampled_class_scores
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.frechet import frechet_distance, resampled_distances
from labdiff.metrics.kernel_distance import kernel_distance, resampled_kernel_distances, rms
from labdiff.metrics.neighbours import NEIGHBOUR, precision, reached, resampled_recalls

LEAST = {
    "fid": 0.0,
    "kid": -math.inf,
    "kid_raw": -math.inf,
    "is": 1.0,
    "precision": 0.0,
    "recall": 0.0,
}
"""Least possible value of each figure."""


@dataclass(frozen=True, slots=True)
class ImageFigure:
    """One figure, with its 95 % interval by bootstrap over the generated images.

    name: fid, kid, kid_raw, precision, recall with Inception's features; else the same with the prefix
    classifier_, and classifier_is. nearest, variance_within, share_error: `labdiff.metrics.variety`.
    real: the same figure of as many real training images against the same held-out images: the figure of
    perfect images. For classifier_is, precision and recall it is a ceiling, not a floor.
    """

    name: str
    value: float
    low: float
    high: float
    real: float


@dataclass(frozen=True, slots=True)
class ImageMetrics:
    """The figures of a set of generated images, with the settings on which they depend.

    count: number of images on each side; fewer than were generated where there are not as many held-out
    images. real_count: the same for `ImageFigure.real`.
    """

    figures: tuple[ImageFigure, ...]
    features: str
    preparation: str
    count: int
    real_count: int
    seed: int
    resamples: int

    def figure(self, name: str) -> ImageFigure:
        """Return the figure of that name. Raises KeyError if there is none."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON, the figures by their names."""
        values = asdict(self)
        values["figures"] = {figure.pop("name"): figure for figure in values["figures"]}
        return values


def image_metrics(
    generated: Tensor,
    real_train: Tensor,
    real_test: Tensor,
    extractor: FeatureExtractor,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Job[ImageMetrics]:
    """Compute the distances of generated images from held-out ones, beside those of training images.

    Nothing may have been chosen by the held-out images: neither the unit nor the sampler. Both sides have
    the same count: a seeded choice of held-out images, as many as were generated (or all there are, and
    then as many generated ones).

    Example:
        metrics = run(image_metrics(generated, images.train, images.test, extractor))
        print(metrics.figure("classifier_fid"))

    Args:
        generated: generated images, (N, H, W) in -1 ... 1.
        real_train: real training images, (M, H, W).
        real_test: real held-out images, (K, H, W).
        extractor: computes the features.
        seed: of the choice of images and of the resamples.
        resamples: number of resamples of the intervals.

    Raises:
        ValueError: there are fewer than two images on a side.
    """
    count = min(len(generated), len(real_train), len(real_test))
    if count < 2:
        raise ValueError(f"two images at least are needed on each side; here {count}")
    reference = yield from extractor.extract(_some(real_test, count, seed), "real, held out")
    training = yield from extractor.extract(_some(real_train, count, seed), "real, training")
    features = yield from extractor.extract(generated[:count], "generated")
    prefix = "classifier_" if extractor.name == "classifier" else ""
    counts = resample_counts(count, resamples, seed)
    yield StageStarted("confidence intervals", 4)

    def figure(name: str, value: float, resampled: Values, real: float) -> ImageFigure:
        low, high = interval_around(value, resampled, LEAST[name])
        return ImageFigure(prefix + name, value, low, high, real)

    found = [
        figure(
            "fid",
            frechet_distance(features, reference),
            resampled_distances(features, reference, counts),
            frechet_distance(training, reference),
        )
    ]
    yield EvaluationStep(0, 4, "Frechet distance")
    # Inception's features are also used unscaled, as in published KIDs.
    scales = {"kid": rms(reference)} | ({"kid_raw": 1.0} if not prefix else {})
    for name, scale in scales.items():
        value = kernel_distance(features, reference, scale)
        resampled = resampled_kernel_distances(features, reference, scale, counts)
        found.append(figure(name, value, resampled, kernel_distance(training, reference, scale)))
    yield EvaluationStep(1, 4, "kernel distance")
    if count > NEIGHBOUR:
        reaches = reached(features, reference)
        within = precision(features, reference)
        real_recall = reached(training, reference).any(0).mean()
        real_precision = precision(training, reference).mean()
        shares = counts @ within / count
        found.append(figure("precision", float(within.mean()), shares, float(real_precision)))
        recalls = resampled_recalls(reaches, counts)
        found.append(figure("recall", float(reaches.any(0).mean()), recalls, float(real_recall)))
    yield EvaluationStep(2, 4, "precision and recall")
    probabilities, of_real = extractor.probabilities(features), extractor.probabilities(training)
    if probabilities is not None and of_real is not None:
        resampled = resampled_class_scores(probabilities, counts)
        value = class_score(probabilities)
        found.append(figure("is", value, resampled, class_score(of_real)))
    yield EvaluationStep(3, 4, "class score")
    return ImageMetrics(
        tuple(found), extractor.name, extractor.preparation, count, count, seed, resamples
    )


def _some(images: Tensor, count: int, seed: int) -> Tensor:
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return images[order[:count]]
