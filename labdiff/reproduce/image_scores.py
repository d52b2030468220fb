"""Who judges generated images: always a classifier, and Inception where its weights are found."""

from __future__ import annotations

from dataclasses import dataclass, field

from labdiff.job import Job
from labdiff.metrics.classifier import train_classifier
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.images import ImageMetrics, image_metrics
from labdiff.metrics.inception import find_inception, inception_features
from labdiff.reproduce.context import Context
from labdiff.reproduce.result import Row
from labdiff.reproduce.result_cache import kept_rows
from labdiff.reproduce.trained_units import ImagesAlongT, Unit

NOT_SHOWN = ("kid_raw",)


@dataclass(slots=True)
class Judges:
    """Those of one result; each is made when it is first asked, once for all units on the same images.

    inception: None where no weights are found.
    """

    context: Context
    inception: FeatureExtractor | None
    _classifiers: dict[str, FeatureExtractor] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context) -> Judges:
        """Raises UserError if there are weights that cannot be read."""
        weights = find_inception(None, context.data_dir)
        return cls(context, None if weights is None else inception_features(weights))

    @property
    def best(self) -> str:
        """The column of the distance that is set beside the paper's."""
        return "classifier_fid" if self.inception is None else "fid"

    @property
    def best_words(self) -> str:
        """That distance by its full name."""
        return "classifier-FID" if self.inception is None else "Inception FID"

    def scores(self, unit: Unit, along: ImagesAlongT, inception_points: int = 1) -> Job[list[Row]]:
        """A row for each moment: t, classifier_fid, classifier_kid, classifier_is, fid, kid.

        Each with _low, _high (95 % by bootstrap over generated images) and _real, that of as many real
        held-out images. count: images on each side. Inception, which is slow, looks at the last
        `inception_points` moments alone.
        """
        count = along.images.shape[1]
        seeing = 0 if self.inception is None else inception_points
        path = unit.beside(f"{count}-scores-{len(along.t)}-{seeing}.json")
        return (yield from kept_rows(path, lambda: self._found(unit, along, seeing)))

    def _found(self, unit: Unit, along: ImagesAlongT, seeing: int) -> Job[list[Row]]:
        images, seed = unit.session.images, self.context.seed
        classifier = yield from self._classifier(unit)
        rows: list[Row] = []
        for index, (t, shown) in enumerate(zip(along.t, along.images, strict=True)):
            row: Row = {"t": t}
            judges = [classifier]
            if self.inception is not None and index >= len(along.t) - seeing:
                judges.append(self.inception)
            for judge in judges:
                found = yield from image_metrics(shown, images.train, images.test, judge, seed)
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
        if figure.name not in NOT_SHOWN:
            row |= {
                figure.name: figure.value,
                f"{figure.name}_low": figure.low,
                f"{figure.name}_high": figure.high,
                f"{figure.name}_real": figure.real,
            }
    return row
