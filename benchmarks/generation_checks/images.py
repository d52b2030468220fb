"""Generated images on the twin: distances to real ones, ours beside the paper's recipe."""

from __future__ import annotations

from typing import Any

from benchmarks.claims import Claim, claim
from benchmarks.generation_checks.units import Units
from benchmarks.parts import Outcome, Scale
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import image_metrics
from labdiff.metrics.inception import find_inception, inception_features
from labdiff.reproduce.recipes import Recipe

PAPER_FID = {"mnist-0-2": 206.6, "fashion-0-2": 227.7}
RECIPES: tuple[Recipe, ...] = ("ours", "paper")
BOUNDS = {"mnist-0-2": "<= 90"}


def measure(units: Units) -> Outcome:
    """Measure the distances on every data set: claims, and all figures with their intervals."""
    claims: list[Claim] = []
    tables: dict[str, Any] = {}
    count = units.setting.amount("generated images", smoke=8, quick=10, full=1000)
    full = units.setting.scale is Scale.FULL
    weights = find_inception(None) if full else None
    inception = inception_features(weights) if weights is not None else None
    for data in units.data_sets:
        trained = {recipe: units.trained(data, recipe) for recipe in RECIPES}
        images = trained["ours"].session.images
        classifier = units.do(train_classifier(images, units.seed))
        tables[data] = {"classifier_accuracy": classifier.accuracy}
        fid = {}
        for recipe, unit in trained.items():
            generated = units.generated(unit, count)
            extractors: list[FeatureExtractor] = [classifier.extractor]
            # The paper's recipe beside ours needs the classifier alone; Inception is slow.
            if inception is not None and recipe == "ours":
                extractors.append(inception)
            for extractor in extractors:
                found = units.do(
                    image_metrics(generated, images.train, images.test, extractor, units.seed)
                )
                tables[data][f"{recipe} {extractor.name}"] = found.as_dict()
                fid[recipe, extractor.name] = found.figures[0].value
        over = fid["ours", "classifier"] / fid["paper", "classifier"]
        claims.append(
            claim(f"{data}: classifier_fid over that of the paper's recipe", over, "<= 0.5")
        )
        if inception is not None:
            bound = BOUNDS.get(data, f"<= {PAPER_FID[data]}")
            claims.append(claim(f"{data}: FID of {count} images", fid["ours", "inception"], bound))
    return Outcome(claims, tables)
