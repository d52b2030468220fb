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
    only the field behind each gap is kept. The adjoint of a propagation is the propagation with
    conj(H), since crop and zero-padding are each other's adjoint.
    """

    @staticmethod
    def forward(
        ctx: Any,
        first: Tensor,
        phases: Tensor,
        ramps: Tensor,
        transfer: Tensor,
    ) -> Tensor:
        """first (B, h, w) complex, phases (N, h, w) rad, ramps (N, h, w) complex -> (B, h, w)."""
        modulations = torch.complex(phases.cos(), phases.sin()) * ramps
        behind = first.new_empty((len(first), len(phases) + 1, *first.shape[1:]))
        intensity = torch.empty(first.shape, dtype=phases.dtype)
        for sample, field in enumerate(first):
            for layer, modulation in enumerate(modulations):
                field = propagate(field, transfer) * modulation
                behind[sample, layer] = field
            field = propagate(field, transfer)
            behind[sample, -1] = field
            intensity[sample] = field.real.square() + field.imag.square()
        ctx.save_for_backward(behind, modulations, transfer)
        return intensity

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """dL/d(first) and dL/d(phases)."""
        (upstream,) = gradients
        behind, modulations, transfer = ctx.saved_tensors
        back = transfer.conj().resolve_conj()
        undo = modulations.conj().resolve_conj()
        phase_gradient = torch.zeros(modulations.shape, dtype=upstream.dtype)
        first_gradient = torch.empty_like(behind[:, 0])
        for sample, fields in enumerate(behind):
            adjoint = propagate(2.0 * upstream[sample] * fields[-1], back)
            for layer in range(len(modulations) - 1, -1, -1):
                field = fields[layer]
                phase_gradient[layer] += adjoint.imag * field.real - adjoint.real * field.imag
                adjoint = propagate(adjoint * undo[layer], back)
            first_gradient[sample] = adjoint
        return first_gradient, phase_gradient, None, None
