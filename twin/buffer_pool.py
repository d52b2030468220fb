"""Large tensors that are lent and come back.

Asked from the system at each step, every page of them would have to be cleared by it first, which takes as
long as several transforms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Loan:
    """A tensor that goes back to its lender with the last reference to this."""

    def __init__(self, lender: BufferPool, memory: Tensor, shape: tuple[int, ...]) -> None:
        self._lender, self._memory = lender, memory
        self.tensor = memory[: math.prod(shape)].view(shape)

    def __del__(self) -> None:
        """Return the memory: autograd has let go of the step."""
        self._lender.take_back(self._memory)


class BufferPool:
    """Keeps one tensor's memory between two steps; its values are whatever was left there."""

    def __init__(self) -> None:
        self._spare: list[Tensor] = []

    def lend(self, shape: tuple[int, ...], like: Tensor) -> Loan:
        """Return an uninitialised tensor of the dtype and on the device of `like`."""
        count = math.prod(shape)
        try:
            spare = self._spare.pop()
        except IndexError:
            spare = like.new_empty(0)
        fits = spare.dtype == like.dtype and spare.device == like.device
        if not fits or not count <= spare.numel() <= 4 * count:
            # Neither too small nor much too large: memory is not held for what will not come again.
            spare = torch.empty(count, dtype=like.dtype, device=like.device)
        return Loan(self, spare, shape)

    def take_back(self, memory: Tensor) -> None:
        """Store this memory for the next loan."""
        self._spare[:] = [memory]
