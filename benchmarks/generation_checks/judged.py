"""Images of units with clusters: distances, recall and variety, and the same without light."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from benchmarks.claims import Claim, claim
from benchmarks.generation_checks.units import Units, training_s
from benchmarks.parts import Outcome, Scale
from labdiff.generation.sample import generate
from labdiff.metrics.classifier import TrainedClassifier, train_classifier
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import ImageMetrics, image_metrics
from labdiff.metrics.inception import find_inception, inception_features
from labdiff.metrics.variety import variety_metrics
from labdiff.reproduce.trained_units import Unit

DISTANCES = {"mnist-0-2": "<= 30", "fashion-0-2": "<= 45"}
"""Bounds of the Inception FID of 1,000 images."""
RECALLS = {"mnist-0-2": ">= 0.45", "fashion-0-2": ">= 0.3"}
"""Bounds of the recall in Inception's features."""


def measure(units: Units) -> Outcome:
    """Measure units of the recipe "clusters" on every data set: claims, and all figures."""
    claims: list[Claim] = []
    tables: dict[str, Any] = {}
    count = units.setting.amount("generated images", smoke=8, quick=40, full=1000)
    weights = find_inception(None) if units.setting.scale is Scale.FULL else None
    for data in units.data_sets:
        unit = units.trained(data, "clusters")
        images = unit.session.images
        classifier = units.do(train_classifier(images, units.seed))
        # Without Inception's weights the classifier's features judge.
        judge = classifier.extractor if weights is None else inception_features(weights)
        light = units.generated(unit, count)
        dark = units.do(generate(unit.session, count, "twin", light_off=True))
        found = _distances(units, unit, light, judge)
        without = _distances(units, unit, dark, judge)
        variety = units.do(variety_metrics(light, images, classifier.extractor, units.seed))
        minutes = training_s(unit) / 60.0
        tables[data] = _table(found, without, variety, classifier) | {"training_minutes": minutes}
        claims += _claims(data, found, without, variety)
        claims.append(claim(f"{data}: minutes of training", minutes, "<= 45"))
    return Outcome(claims, tables)


def _distances(
    units: Units, unit: Unit, generated: Tensor, judge: FeatureExtractor
) -> ImageMetrics:
    images = unit.session.images
    return units.do(image_metrics(generated, images.train, images.test, judge, units.seed))


def _claims(
    data: str, found: ImageMetrics, without: ImageMetrics, variety: ImageMetrics
) -> list[Claim]:
    prefix = "" if found.features == "inception" else "classifier_"
    fid, recall = found.figure(f"{prefix}fid"), found.figure(f"{prefix}recall")
    ratio = without.figure(f"{prefix}fid").value / fid.value
    nearest, within = variety.figure("nearest"), variety.figure("variance_within")
    return [
        claim(
            f"{data}: {fid.name} of {found.count} images", fid.value, DISTANCES.get(data, "<= 30")
        ),
        claim(f"{data}: {recall.name}", recall.value, RECALLS.get(data, ">= 0.3")),
        claim(f"{data}: {fid.name} with the light off over that with it", ratio, ">= 2"),
        claim(f"{data}: variance within classes over real, at least", within.value, ">= 0.7"),
        claim(f"{data}: variance within classes over real, at most", within.value, "<= 1.2"),
        claim(f"{data}: error of shares", variety.figure("share_error").value, "<= 0.05"),
        claim(
            f"{data}: nearest over that of held-out images", nearest.value / nearest.real, ">= 1"
        ),
    ]


def _table(
    found: ImageMetrics, without: ImageMetrics, variety: ImageMetrics, classifier: TrainedClassifier
) -> dict[str, Any]:
    return {
        "light": found.as_dict(),
        "light off": without.as_dict(),
        "variety": variety.as_dict(),
        "classifier_accuracy": classifier.accuracy,
    }
