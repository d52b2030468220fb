"""Score generated images: always with a classifier, and with Inception where its weights are found."""

from __future__ import annotations

from dataclasses import dataclass, field

from labdiff.job import Job
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import ImageMetrics, image_metrics
from labdiff.metrics.inception import find_inception, inception_features
from labdiff.reproduce.context import Context
from labdiff.reproduce.result import Row
from labdiff.reproduce.result_cache import cached_rows
from labdiff.reproduce.trained_units import ImagesAlongT, Unit

LEFT_OUT = ("kid_raw",)
"""Names of figures that are left out of the rows."""


@dataclass(slots=True)
class ImageScorers:
    """The scorers of one result; a classifier is trained once for all units on the same images.

    inception: None where no weights are found.
    """

    context: Context
    inception: FeatureExtractor | None
    _classifiers: dict[str, FeatureExtractor] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context) -> ImageScorers:
        """Return the scorers of a result. Raises UserError if there are weights that cannot be read."""
        weights = find_inception(None, context.data_dir)
        return cls(context, None if weights is None else inception_features(weights))

    @property
    def distance(self) -> str:
        """Column of the distance that is compared with the paper's."""
        return "classifier_fid" if self.inception is None else "fid"

    @property
    def distance_name(self) -> str:
        """Full name of the distance that is compared with the paper's."""
        return "classifier-FID" if self.inception is None else "Inception FID"

    def scores(self, unit: Unit, along: ImagesAlongT, inception_points: int = 1) -> Job[list[Row]]:
        """Score images; return a row for each moment.

        Columns: t, count (number of images on each side), and classifier_fid, classifier_kid,
        classifier_is, fid, kid, each with _low, _high (95 % by bootstrap over generated images) and
        _real, the figure of as many real training images. All are distances from held-out images.

        Args:
            unit: the trained unit.
            along: its images.
            inception_points: number of moments, the last ones, that Inception scores; it is slow.
        """
        count = along.images.shape[1]
        by_inception = 0 if self.inception is None else inception_points
        path = unit.beside(f"{count}-held-out-scores-{len(along.t)}-{by_inception}.json")
        return (yield from cached_rows(path, lambda: self._score(unit, along, by_inception)))

    def _score(self, unit: Unit, along: ImagesAlongT, by_inception: int) -> Job[list[Row]]:
        images, seed = unit.session.images, self.context.seed
        classifier = yield from self._classifier(unit)
        rows: list[Row] = []
        for index, (t, shown) in enumerate(zip(along.t, along.images, strict=True)):
            row: Row = {"t": t}
            extractors = [classifier]
            if self.inception is not None and index >= len(along.t) - by_inception:
                extractors.append(self.inception)
            for extractor in extractors:
                found = yield from image_metrics(shown, images.train, images.test, extractor, seed)
                row |= _columns(found)
            rows.append(row)
        return rows

    def _classifier(self, unit: Unit) -> Job[FeatureExtractor]:
        options = unit.session.options
        key = f"{options.data} {options.classes} {options.image_size}"
        if key not in self._classifiers:
            trained = yield from train_classifier(unit.session.images, self.context.seed)
            self._classifiers[key] = trained.extractor
        return self._classifiers[key]


def _columns(metrics: ImageMetrics) -> Row:
    row: Row = {"count": metrics.count, "real_count": metrics.real_count}
    for figure in metrics.figures:
        if figure.name not in LEFT_OUT:
            row |= {
                figure.name: figure.value,
                f"{figure.name}_low": figure.low,
                f"{figure.name}_high": figure.high,
                f"{figure.name}_real": figure.real,
            }
    return row
