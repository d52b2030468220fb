"""Damage files at random, each by its seed alone: bits, bytes, runs, cuts, insertions, repetitions."""

from __future__ import annotations

import numpy as np

INTERESTING = (
    b"\xff" * 8,
    bytes(8),
    b"\x7f\xff\xff\xff",
    b"\x80",
    b"-1",
    b"\n",
    b"../",
    b"\xff\xfe",
)
"""Pieces at which parsers stumble: extreme numbers, signs, line ends, paths, wrong encodings."""


def mutated(content: bytes, seed: int) -> bytes:
    """Return the content with one to eight random changes."""
    rng = np.random.default_rng(seed)
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        if not data:
            break
        # Headers lie in front: half of the changes hit the first kilobyte.
        end = len(data) if rng.random() < 0.5 else min(len(data), 1024)
        place, length = int(rng.integers(end)), int(rng.integers(1, 65))
        match int(rng.integers(7)):
            case 0:
                data[place] ^= 1 << int(rng.integers(8))
            case 1:
                data[place] = int(rng.integers(256))
            case 2:
                data[place : place + length] = rng.bytes(length)
            case 3:
                piece = INTERESTING[int(rng.integers(len(INTERESTING)))]
                data[place : place + len(piece)] = piece
            case 4:
                data[place:place] = bytes(data[place : place + length])
            case 5:
                del data[place : place + length]
            case 6 if rng.random() < 0.3:
                del data[place:]
    return bytes(data)
