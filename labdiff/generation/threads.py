"""How many threads of torch a generation uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

FEW = 32
"""Most images that one thread generates as fast as two do."""


@contextmanager
def threads_for(count: int) -> Iterator[None]:
    """Generate few images with one thread: each step would wait for a second one beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if count <= FEW else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
