"""One layer set trained by several processes: each takes its share of every batch, gradients are summed.

Data parallel, through `torch.distributed`: gloo between processes on CPUs. The gradient is that of the
whole batch in one process but for the rounding of a sum in another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from labdiff.errors import UserError


@dataclass(frozen=True, slots=True)
class BatchShare:
    """The part of one process, rank of count, within a `torch.distributed` group of that size."""

    rank: int
    count: int

    @property
    def images(self) -> slice:
        """Return its images of a batch: every count-th, so that shares differ by one at most."""
        return slice(self.rank, None, self.count)

    def weight(self, batch: int) -> float:
        """Return the weight of its mean in the mean over a batch. Raises UserError if it has no image."""
        if batch < self.count:
            raise UserError(f"batch = {batch}: allowed is {self.count} or more, an image a process")
        return len(range(batch)[self.images]) / batch

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace each gradient by the sum over all processes; one that a process lacks counts as zero.

        They travel as one array: a collective operation costs more than its bytes.
        """
        moved = list(parameters)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in moved]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        for parameter, total in zip(
            moved, torch.split(flat, [p.numel() for p in moved]), strict=True
        ):
            parameter.grad = total.view_as(parameter).clone()
