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
"""Samples that are propagated side by side: enough for all threads, few enough for the cache."""


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
    """`cavity_intensity` as one step of autograd, a few samples at a time.

    Small batches keep the FFT's temporaries in cache and out of malloc's way; only the field before
    each modulation is kept. The adjoint of a propagation is the propagation with conj(H), since crop
    and zero-padding are each other's adjoint.
    """

    @staticmethod
    def forward(
        ctx: Any, first: Tensor, modulations: Tensor, gap: Tensor, way_out: Tensor
    ) -> Tensor:
        """first (B, h, w) and modulations (N, h, w), complex -> (B, h, w)."""
        before = first.new_empty((len(modulations) + 1, *first.shape))
        intensity = torch.empty(first.shape, dtype=first.real.dtype)
        for samples in _groups(len(first)):
            field = first[samples]
            for kept, modulation in zip(before, modulations, strict=False):
                kept[samples] = propagate(field, gap)
                field = kept[samples] * modulation
            field = propagate(field, way_out)
            before[-1, samples] = field
            intensity[samples] = field.real.square() + field.imag.square()
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
        first_gradient = torch.empty_like(before[0])
        for samples in _groups(len(upstream)):
            adjoint = propagate(2.0 * upstream[samples] * before[-1, samples], way_back)
            for layer in range(len(modulations) - 1, -1, -1):
                gradient[layer] += (adjoint * before[layer, samples].conj()).sum(0)
                adjoint = propagate(adjoint * undo[layer], back)
            first_gradient[samples] = adjoint
        return first_gradient, gradient, None, None


def _groups(count: int) -> list[slice]:
    return [slice(start, start + TOGETHER) for start in range(0, count, TOGETHER)]
