"""Grey levels of more than 8 bits on a video output of 8 bits a colour: where each bit goes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceValueError
from drivers.slm.panel import Grey

GREY = "grey"
"""Encoding of 8-bit levels: the same in red, green and blue."""
PRESETS = {"santec": "R7-5 G7-5 B7-4"}
"""Encodings by their maker's name. santec: SLM-200, -210, -300 over DVI (SLM Functions manual, 3.6)."""
ALLOWED_BITS = (8, 10)
COLOURS = "RGB"
_PART = re.compile(r"([RGB])([0-7])(?:-([0-7]))?")
EXPECTED = (
    f'expected are "{GREY}", {", ".join(map(repr, PRESETS))}, or the colours\' bits from the highest bit '
    'of the level to its lowest, such as "R7-0 B7-6" (8 bits of red, then the upper two of blue)'
)


@dataclass(frozen=True, slots=True)
class LevelEncoding:
    """Where each bit of a level goes.

    places: (colour 0 ... 2, bit 0 ... 7), highest bit first; none: grey.
    """

    places: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> LevelEncoding:
        """Return the encoding of a bench file's text. Raises DeviceValueError for one of another form."""
        if text == GREY:
            return cls()
        places: list[tuple[int, int]] = []
        for part in PRESETS.get(text, text).split():
            found = _PART.fullmatch(part)
            if found is None:
                raise DeviceValueError(
                    f"encoding = {text!r}: {part!r} is not understood; {EXPECTED}"
                )
            colour, first = COLOURS.index(found[1]), int(found[2])
            last = first if found[3] is None else int(found[3])
            step = -1 if last < first else 1
            places += [(colour, bit) for bit in range(first, last + step, step)]
        if len(places) not in ALLOWED_BITS or len(set(places)) < len(places):
            raise DeviceValueError(
                f"encoding = {text!r}: {len(set(places))} different bits; levels have "
                f"{' or '.join(map(str, ALLOWED_BITS))}; {EXPECTED}"
            )
        return cls(tuple(places))

    @property
    def bits(self) -> int:
        """Return the bits of a level."""
        return len(self.places) or 8

    @property
    def coloured(self) -> bool:
        """Return whether red, green and blue differ."""
        return bool(self.places)

    def colours(self, grey: Grey) -> npt.NDArray[np.uint8]:
        """Return red, green and blue (height, width, 3) of levels (height, width)."""
        if not self.places:
            return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
        levels = np.asarray(grey, np.uint16)
        result = np.zeros((*levels.shape, 3), np.uint8)
        for number, (colour, bit) in enumerate(reversed(self.places)):
            result[..., colour] |= (((levels >> number) & 1) << bit).astype(np.uint8)
        return result


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """Options of an SLM on a video output. encoding: how levels become red, green and blue."""

    encoding: str = GREY

    def __post_init__(self) -> None:
        LevelEncoding.parse(self.encoding)
