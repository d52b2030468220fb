"""Levels of ten bits in the colours of a video output, as makers' manuals have them."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import DeviceValueError
from drivers.slm.level_encoding import LevelEncoding


def test_santecs_ten_bits_are_three_of_red_three_of_green_and_four_of_blue() -> None:
    encoding = LevelEncoding.parse("santec")
    assert (encoding.bits, encoding.coloured) == (10, True)
    (colours,) = encoding.colours(np.array([[0b1010110101, 1023]], np.uint16))
    assert colours.tolist() == [[0b10100000, 0b01100000, 0b01010000], [0xE0, 0xE0, 0xF0]]


@pytest.mark.parametrize("text", ["R7-0 B7-6", "R7-0 B1-0", "G0-7 R0 R1", "B7-4 G7-5 R7-5"])
def test_every_level_has_colours_of_its_own(text: str) -> None:
    levels = np.arange(1024, dtype=np.uint16)[None, :]
    colours = LevelEncoding.parse(text).colours(levels)[0]
    assert len({tuple(colour) for colour in colours.tolist()}) == 1024


def test_the_upper_byte_in_red_and_two_bits_in_blue() -> None:
    colours = LevelEncoding.parse("R7-0 B7-6").colours(np.array([[0b1111000010]], np.uint16))
    assert colours.tolist() == [[[0b11110000, 0, 0b10000000]]]


def test_grey_is_the_same_in_all_colours() -> None:
    encoding = LevelEncoding.parse("grey")
    assert (encoding.bits, encoding.coloured) == (8, False)
    assert encoding.colours(np.array([[200]], np.uint8)).tolist() == [[[200, 200, 200]]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rgb", "'rgb' is not understood; expected are \"grey\", 'santec'"),
        ("R9-2 B1-0", "'R9-2' is not understood"),
        ("R7-0 B7", "9 different bits; levels have 8 or 10"),
        ("R7-0 R7-6", "8 different bits"),
    ],
)
def test_what_is_no_encoding_is_refused_with_what_is_allowed(text: str, words: str) -> None:
    with pytest.raises(DeviceValueError, match=words):
        LevelEncoding.parse(text)
