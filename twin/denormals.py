"""Numbers too small for float32's full precision: taken for 0 while a step is computed.

A processor takes some twenty times as long for each. Adam's means of a pixel that light no longer reaches
fall that far within some hundred steps, and would slow all of training down.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take denormal numbers for 0 in this thread while this is entered; nothing is done where it cannot be.

    Not for good: numpy warns of it wherever it looks at the limits of a type.
    """
    before = _flushes()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _flushes() -> bool:
    """Return whether denormal numbers are 0 in this thread now: the least normal number, halved."""
    least = torch.tensor([torch.finfo(torch.float32).tiny])
    return float(least * 0.5) == 0.0
