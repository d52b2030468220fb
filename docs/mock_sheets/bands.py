"""Pictures of light: a reference at the left, then each effect, with its difference below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mock_sheets.layout import (
    BAND,
    BELOW,
    CELL,
    CHANGE,
    EDGE,
    GAP,
    LIGHT,
    QUIET,
    TITLE,
    WIDTH,
    Array,
    Sheet,
)
from mock_sheets.scene import OFF, dialled, intensity, titled


class TitledImage(NamedTuple):
    """A titled image; its difference is taken against `against`, or against the band's first image."""

    title: str
    note: str
    image: Array
    against: Array | None = None


def single_effect(phases: Array, **value: float) -> TitledImage:
    """Return the camera's image with one effect alone on, named section__setting."""
    (key, number), *_ = value.items()
    return TitledImage(*titled(key.replace("__", "."), number), intensity(dialled(**value), phases))


def band(
    sheet: Sheet, top: float, off: TitledImage, effects: Sequence[TitledImage], legend: str
) -> None:
    """Paint the reference at the left, then each effect with its difference below."""
    most = float(np.quantile(off.image, 0.999))
    for column, entry in enumerate([off, *effects]):
        left = EDGE + column * (CELL + GAP)
        sheet.head(left, top, entry.title, entry.note)
        sheet.picture(left, top + TITLE, entry.image, (0.0, most))
        if entry is off:
            continue
        change = entry.image - (off.image if entry.against is None else entry.against)
        reach = max(float(np.quantile(np.abs(change), 0.998)), 1e-6)
        sheet.picture(left, top + BELOW, change, (-reach, reach), CHANGE)
        label = f"\u00b1 {_percent(reach / most)} of the brightest"
        sheet.write(left, top + BELOW + CELL + 3, label, color=QUIET, fontsize=7.5)
    if legend:
        sheet.write(EDGE, top + BELOW + 2, "above: light", color=QUIET)
        sheet.scale(EDGE, top + BELOW + 20, LIGHT, ("dark", "brightest at the left"))
        sheet.write(EDGE, top + BELOW + 62, legend, color=QUIET)
        sheet.scale(EDGE, top + BELOW + 80, CHANGE, ("darker", "same", "brighter"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.2g} %"


def bands(
    *rows: tuple[TitledImage, Sequence[TitledImage]], legend: str = "here: on minus off"
) -> Sheet:
    """Return a sheet of bands: each a reference, and the effects beside it."""
    sheet = Sheet(WIDTH, 12 + len(rows) * BAND)
    for row, (off, effects) in enumerate(rows):
        band(sheet, 12 + row * BAND, off, effects, legend if row == 0 else "")
    return sheet


def every_effect_off(phases: Array, note: str) -> TitledImage:
    """Return the reference of a band."""
    return TitledImage("every effect off", note, intensity(OFF, phases))


STAR_NOTE = "layers that draw a star"
