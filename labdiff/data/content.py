"""Look at what images hold, whatever their type: range, variance, constant images, classes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from labdiff.data.readers.arrays import likely_white
from labdiff.data.readers.raw import Grey, Labels
from labdiff.errors import UserError

LEAST_RANGE = 0.1
"""Least share of white that the images of a set must span; below it white is another count."""
TYPICAL = 5.0
"""Percentile of the images' darkest and brightest pixels that counts as typical of a set."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the images of a set hold.

    Attributes:
        count: number of images.
        low: typical darkest pixel of an image, 1 = white.
        high: typical brightest pixel of an image, 1 = white.
        deviation: standard deviation of all pixels, 1 = white.
        constant_share: share of images whose pixels are all the same.
        classes: (class number, count) in the order of the numbers.
    """

    count: int
    low: float
    high: float
    deviation: float
    constant_share: float
    classes: tuple[tuple[int, int], ...]

    def describe(self, names: tuple[str, ...] = ()) -> str:
        """Return one line for people: range used, spread, constant images, counts per class."""

        def title(number: int) -> str:
            return names[number] if number < len(names) else str(number)

        shown = ", ".join(f"{title(number)}: {count}" for number, count in self.classes[:12])
        more = f" and {len(self.classes) - 12} classes more" if len(self.classes) > 12 else ""
        constant = f", {self.constant_share:.0%} constant" if self.constant_share else ""
        return (
            f"{self.count} images, {self.low:.0%} to {self.high:.0%} of white, "
            f"standard deviation {self.deviation:.0%}{constant}; classes {shown}{more}"
        )


def content_of(images: Grey, labels: Labels, white: float) -> Content:
    """Return the content of images.

    Args:
        images: (count, H, W).
        labels: class numbers, (count,).
        white: value that means white.
    """
    flat = images.reshape(len(images), -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    counts = Counter(labels.tolist())
    return Content(
        count=len(images),
        low=float(np.percentile(low, TYPICAL)) / white,
        high=float(np.percentile(high, 100.0 - TYPICAL)) / white,
        deviation=float(flat.std(dtype=np.float64)) / white,
        constant_share=float((low == high).mean()),
        classes=tuple(sorted(counts.items())),
    )


def require_content(content: Content, name: str, full_scale: int | None) -> None:
    """Refuse images from which nothing can be learnt.

    Args:
        content: of the training images.
        name: of the data set, for messages.
        full_scale: count of the source that was taken as white; None where it holds no counts.

    Raises:
        UserError: if no image varies, or all lie within a tenth of white; names the option that helps.
    """
    if content.constant_share == 1.0:
        raise UserError(
            f"data set {name!r}: every one of its {content.count} images is constant; if they are drawn "
            "on transparent ground, lay them on the other one: --background black or white"
        )
    if content.high - content.low >= LEAST_RANGE:
        return
    remedy = "scale them so that white is 1"
    if full_scale is not None:
        brightest = round(content.high * full_scale)
        remedy = (
            f"say which count is white, as --white {likely_white(brightest)}; "
            f"now it is {full_scale}, and the brightest typical pixel counts {brightest}"
        )
    raise UserError(
        f"data set {name!r}: its images span {content.low:.1%} to {content.high:.1%} of white, "
        f"less than a tenth; {remedy}"
    )
