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


def cavity_intensity(first: Tensor, modulations: Tensor, transfer: Tensor) -> Tensor:
    """|U|^2 on the output plane, (B, h, w).

    first: field behind the input plane, (B, h, w) complex. modulations: (N, h, w) or (B, N, h, w)
    complex, layer phases and tilts. transfer: of one gap, on the padded grid.
    """
    field = first
    layers = modulations.unbind(-3)
    for modulation in layers:
        field = propagate(field, transfer) * modulation
    field = propagate(field, transfer)
    return field.real.square() + field.imag.square()


class FixedCavity(torch.autograd.Function):
    """`cavity_intensity` as one step of autograd, sample by sample.

    Walking the batch sample by sample keeps the FFT's temporaries in cache and out of malloc's way;
    only the field before each modulation is kept. The adjoint of a propagation is the propagation with
    conj(H), since crop and zero-padding are each other's adjoint.
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, modulations: Tensor, transfer: Tensor) -> Tensor:
        """first (B, h, w) and modulations (N, h, w), complex -> (B, h, w)."""
        before = first.new_empty((len(first), len(modulations) + 1, *first.shape[1:]))
        intensity = torch.empty(first.shape, dtype=first.real.dtype)
        for sample, field in enumerate(first):
            for layer, modulation in enumerate(modulations):
                field = propagate(field, transfer)
                before[sample, layer] = field
                field = field * modulation
            field = propagate(field, transfer)
            before[sample, -1] = field
            intensity[sample] = field.real.square() + field.imag.square()
        ctx.save_for_backward(before, modulations, transfer)
        return intensity

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """dL/d(first) and dL/d(modulations)."""
        (upstream,) = gradients
        before, modulations, transfer = ctx.saved_tensors
        back = transfer.conj().resolve_conj()
        undo = modulations.conj().resolve_conj()
        gradient = torch.zeros_like(modulations)
        first_gradient = torch.empty_like(before[:, 0])
        for sample, fields in enumerate(before):
            adjoint = propagate(2.0 * upstream[sample] * fields[-1], back)
            for layer in range(len(modulations) - 1, -1, -1):
                gradient[layer] += adjoint * fields[layer].conj()
                adjoint = propagate(adjoint * undo[layer], back)
            first_gradient[sample] = adjoint
        return first_gradient, gradient, None
