"""The folded cavity: from plane to plane, modulate and propagate.

Two ways through the same physics: `cavity_intensity` is plain autograd and carries gradients to
everything; `FixedCavity` knows the alignment, carries them to the phases and the input alone, and
is several times faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from twin.propagation import propagate

TOGETHER = 8
"""Samples that are propagated side by side by `cavity_intensity`."""


def cavity_intensity(first: Tensor, modulations: Tensor, gap: Tensor, way_out: Tensor) -> Tensor:
    """|U|^2 on the output plane, (B, h, w).

    first: field behind the input plane, (B, h, w) complex. modulations: (N, h, w) or (B, N, h, w)
    complex, layer phases and tilts. gap, way_out: transfer functions on the padded grid, from plane to
    plane and from the last layer to where the camera is focused.
    """
    field = first
    for modulation in modulations.unbind(-3):
        field = propagate(field, gap) * modulation
    field = propagate(field, way_out)
    return field.real.square() + field.imag.square()


class FixedCavity(torch.autograd.Function):
    """`cavity_intensity` as one step of autograd, some samples at a time.

    Each propagation happens in place, on one padded grid that is kept: its temporaries stay in cache,
    and malloc never gives them back. Only the field before each modulation is stored. The adjoint of a
    propagation is the propagation with conj(H), since crop and zero-padding are each other's adjoint.
    """

    @staticmethod
    def forward(
        ctx: Any, first: Tensor, modulations: Tensor, gap: Tensor, way_out: Tensor
    ) -> Tensor:
        """first (B, h, w) and modulations (N, h, w) or (B, N, h, w), complex -> (B, h, w)."""
        layers = modulations.shape[-3]
        before = first.new_empty((layers + 1, *first.shape))
        intensity = torch.empty(first.shape, dtype=first.real.dtype, device=first.device)
        grid = PaddedGrid(first, gap)
        for samples in grid.groups(len(first)):
            field = first[samples]
            for layer in range(layers):
                kept = before[layer, samples]
                kept.copy_(grid.propagate(field, gap))
                field = kept * _layer(modulations, layer, samples)
            kept = before[-1, samples]
            kept.copy_(grid.propagate(field, way_out))
            intensity[samples] = kept.real.square() + kept.imag.square()
        ctx.save_for_backward(before, modulations, gap, way_out)
        return intensity

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """dL/d(first) and dL/d(modulations)."""
        (upstream,) = gradients
        before, modulations, gap, way_out = ctx.saved_tensors
        back, way_back = (t.conj().resolve_conj() for t in (gap, way_out))
        undo = modulations.conj().resolve_conj()
        gradient = torch.zeros_like(modulations)
        first_gradient = torch.empty_like(before[0]) if ctx.needs_input_grad[0] else None
        grid = PaddedGrid(before[0], gap)
        for samples in grid.groups(len(upstream)):
            adjoint = 2.0 * upstream[samples] * before[-1, samples]
            transfer = way_back
            for layer in range(modulations.shape[-3] - 1, -1, -1):
                adjoint = grid.propagate(adjoint, transfer)
                slopes = adjoint * before[layer, samples].conj()
                if modulations.dim() == 4:
                    gradient[samples, layer] = slopes
                else:
                    gradient[layer] += slopes.sum(0)
                adjoint = adjoint * _layer(undo, layer, samples)
                transfer = back
            if first_gradient is not None:
                first_gradient[samples] = grid.propagate(adjoint, transfer)
        return first_gradient, gradient, None, None


class PaddedGrid:
    """Room for some fields (h, w) on the padded grid of a transfer function, used again and again."""

    def __init__(self, fields: Tensor, transfer: Tensor) -> None:
        count, *self._live = fields.shape
        rows, columns = transfer.shape
        # On a CPU as many as stay in its cache; a GPU wants all at once.
        together = count if fields.is_cuda else max(1, IN_CACHE // (rows * columns))
        self._together = min(together, count)
        self._grid = fields.new_empty((self._together, rows, columns))

    def groups(self, count: int) -> list[slice]:
        """Samples that are propagated side by side."""
        return [slice(i, min(i + self._together, count)) for i in range(0, count, self._together)]

    def propagate(self, fields: Tensor, transfer: Tensor) -> Tensor:
        """As `twin.propagation.propagate`; the result is overwritten by the next call."""
        height, width = self._live
        grid = self._grid[: len(fields)]
        grid[:, :height, :width] = fields
        grid[:, :height, width:] = 0.0
        grid[:, height:] = 0.0
        torch.fft.fft2(grid, out=grid)
        grid.mul_(transfer)
        torch.fft.ifft2(grid, out=grid)
        return grid[:, :height, :width]


IN_CACHE = 2**18
"""Complex numbers, 2 MB: what is transformed at a time."""


def _layer(modulations: Tensor, layer: int, samples: slice) -> Tensor:
    return modulations[samples, layer] if modulations.dim() == 4 else modulations[layer]
