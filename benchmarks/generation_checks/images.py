"""Generated images on the twin: distances to real ones, ours beside the paper's recipe."""

from __future__ import annotations

from typing import Any

from benchmarks.claims import Claim, claim
from benchmarks.generation_checks.setting import Setting
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import image_metrics
from labdiff.metrics.inception import find_inception, inception_features

PAPER_FID = {"mnist-0-2": 206.6, "fashion-0-2": 227.7}
BOUNDS = {"mnist-0-2": "<= 90"}


def measure(setting: Setting) -> tuple[list[Claim], dict[str, Any]]:
    """Claims and all figures with their intervals, for every data set."""
    claims: list[Claim] = []
    tables: dict[str, Any] = {}
    count = 20 if setting.quick else 1000
    weights = None if setting.quick else find_inception(None)
    inception = inception_features(weights) if weights is not None else None
    for data in setting.data_sets:
        units = {recipe: setting.trained(data, recipe) for recipe in ("ours", "paper")}
        images = units["ours"].session.images
        classifier = setting.do(train_classifier(images, setting.seed))
        tables[data] = {"classifier_accuracy": classifier.accuracy}
        fid = {}
        for recipe, unit in units.items():
            generated = setting.generated(unit, count)
            extractors: list[FeatureExtractor] = [classifier.extractor]
            # The paper's recipe beside ours needs the classifier alone; Inception is slow.
            if inception is not None and recipe == "ours":
                extractors.append(inception)
            for extractor in extractors:
                found = setting.do(
                    image_metrics(generated, images.train, images.test, extractor, setting.seed)
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
    return claims, tables
