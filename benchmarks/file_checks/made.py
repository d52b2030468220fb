"""Files of known kinds: what is meaningful is read, the rest refused in one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.file_checks import image_kinds, pattern_kinds, text_kinds
from benchmarks.file_checks.case import Case, Kind

KINDS: tuple[Kind, ...] = (*image_kinds.KINDS, *text_kinds.KINDS, *pattern_kinds.KINDS)


def make_cases(folder: Path, kinds: Sequence[Kind], variants: int) -> list[Case]:
    """Write `variants` files of every kind, each drawn from a seed of its own."""
    cases = []
    for number, kind in enumerate(kinds):
        for variant in range(variants):
            place = folder / f"kind{number:03d}" / f"variant{variant}"
            place.mkdir(parents=True)
            path = kind.make(place, np.random.default_rng((number, variant)))
            cases.append(Case(kind.name, kind.reader, path, kind.right))
    return cases
