"""The folded cavity: from plane to plane, modulate and propagate.

Two ways through the same physics: `cavity_intensity` is plain autograd and carries gradients to
everything; `FixedCavity` knows the alignment, carries them to the phases and the input alone, and
is several times faster.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fft

from twin.buffer_pool import BufferPool
from twin.propagation import propagate
from twin.transform_plan import PLANS, GridSize, TransformPlan

TOGETHER = 8
"""Samples that are propagated side by side by `cavity_intensity`."""
FIELDS = BufferPool()
"""Memory for the fields of a step."""


def cavity_intensity(
    first: Tensor, planes: Tensor, gap: Tensor, way_out: Tensor, stray: Tensor | None = None
) -> Tensor:
    """Return |U|^2 on the output plane, (B, h, w).

    Args:
        first: what the input modulator does to the field, (B, h, w).
        planes: (N + 1, h, w) or (B, N + 1, h, w), complex: the field that falls on the input plane,
            and what each layer does with its tilt.
        gap: transfer function from plane to plane, on the padded grid.
        way_out: transfer function from the last layer to the plane on which the camera is focused.
        stray: (h, w), complex, field on the output plane that has met no pattern; None without any.
    """
    source, *layers = planes.unbind(-3)
    field = source * first
    for layer in layers:
        field = propagate(field, gap) * layer
    field = propagate(field, way_out)
    if stray is not None:
        field = field + stray
    return field.real.square() + field.imag.square()


class FixedCavity(torch.autograd.Function):
    """`cavity_intensity` as one step of autograd, some samples at a time.

    Only the field that reaches each plane is stored, in memory that is lent from step to step. Backward,
    the conjugate of the adjoint field is light that retraces its way, as from a phase-conjugate mirror:
    it meets the same planes, and the same transfer functions with k and -k exchanged.
    """

    @staticmethod
    def forward(
        ctx: Any,
        first: Tensor,
        planes: Tensor,
        gap: Tensor,
        way_out: Tensor,
        stray: Tensor | None = None,
    ) -> Tensor:
        """Return the intensity (B, h, w) of first (B, h, w) and planes ([B,] N + 1, h, w), complex.

        Args:
            ctx: of autograd.
            first: (B, h, w), complex.
            planes: ([B,] N + 1, h, w), complex.
            gap: transfer function from plane to plane.
            way_out: transfer function from the last layer.
            stray: (h, w), complex, field on the output plane that has met no pattern; None without any.
        """
        count = planes.shape[-3]
        ctx.loan = FIELDS.lend((count, *first.shape), planes)
        behind = ctx.loan.tensor
        intensity = torch.empty_like(first, dtype=planes.real.dtype)
        grid = PaddedGrid(behind[0], gap)
        there, out = grid.laid_out(gap), grid.laid_out(way_out)
        for samples in grid.groups(len(first)):
            field = first[samples]
            for index in range(count):
                transfer = out if index == count - 1 else there
                plane = _plane(planes, index, samples)
                field = grid.propagate(field, plane, transfer, behind[index, samples])
            if stray is not None:
                field += stray
            intensity[samples] = field.real.square() + field.imag.square()
        ctx.save_for_backward(first, planes, there, out)
        return intensity

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return dL/d(first), dL/d(planes) and dL/d(stray)."""
        (upstream,) = gradients
        first, planes, there, out = ctx.saved_tensors
        behind = ctx.loan.tensor
        stray_gradient = None
        if any(ctx.needs_input_grad[4:]):
            stray_gradient = (2.0 * upstream * behind[-1]).sum(0)
        grid = PaddedGrid(behind[0], there, back=True)
        gradient = torch.zeros_like(planes)
        wanted = ctx.needs_input_grad[0]
        first_gradient = torch.empty_like(behind[0]) if wanted else None
        for samples in grid.groups(len(upstream)):
            field, through = 2.0 * upstream[samples] * behind[-1, samples].conj(), None
            for index in range(planes.shape[-3] - 1, -1, -1):
                transfer = out if through is None else there
                field = grid.propagate(field, through, transfer)
                through = _plane(planes, index, samples)
                met = behind[index - 1, samples] if index else first[samples]
                if planes.dim() == 4:
                    torch.mul(field, met, out=gradient[samples, index])
                elif field.device.type != "cpu":
                    # Two kernels for the batch in place of one a sample.
                    gradient[index] += (field * met).sum(0)
                else:
                    for one, other in zip(field, met, strict=True):
                        gradient[index].addcmul_(one, other)
            if first_gradient is not None:
                torch.mul(field, _plane(planes, 0, samples), out=first_gradient[samples])
        for conjugate in (first_gradient, gradient):
            if conjugate is not None:
                torch.conj_physical(conjugate, out=conjugate)
        if first_gradient is not None and not first.is_complex():
            first_gradient = first_gradient.real
        inputs = first_gradient, gradient, None, None, stray_gradient
        return inputs[: len(ctx.needs_input_grad)]


class PaddedGrid:
    """Propagates fields (h, w), some at a time, on the padded grid of a transfer function.

    Only lines of the grid that carry light are transformed, first along x, then along y; what is padding
    stays 0 from call to call. back: light that retraces its way; k and -k are exchanged.
    """

    def __init__(self, fields: Tensor, transfer: Tensor, *, back: bool = False) -> None:
        count, height, width = fields.shape
        rows, columns = transfer.shape
        # On a CPU as its plan has it; a GPU wants all at once.
        plan = TransformPlan("lines", count)
        if fields.device.type == "cpu":
            size = GridSize((height, width), (rows, columns), torch.get_num_threads())
            plan = PLANS.plan(size)
        self._together = min(plan.together, count)
        self._whole = plan.kind == "whole"
        self._size = height, width
        # exp(-jkr) for exp(jkr) exchanges k and -k; the factor 1/n counts once, whichever comes first.
        self._analyse, self._synthesise = (fft.ifft, fft.fft) if back else (fft.fft, fft.ifft)
        self._forth, self._back = (fft.ifft2, fft.fft2) if back else (fft.fft2, fft.ifft2)
        self._wide = fields.new_zeros((0 if self._whole else self._together, height, columns))
        self._grid = fields.new_zeros((self._together, rows, columns))

    def laid_out(self, transfer: Tensor) -> Tensor:
        """Return a transfer function laid out as the spectra are; nothing is copied if it is so already."""
        return transfer.contiguous() if self._whole else along_columns(transfer)

    def groups(self, count: int) -> list[slice]:
        """Return how many samples are propagated side by side."""
        return [slice(i, min(i + self._together, count)) for i in range(0, count, self._together)]

    def propagate(
        self, fields: Tensor, through: Tensor | None, transfer: Tensor, out: Tensor | None = None
    ) -> Tensor:
        """Return fields (T, h, w) after the modulation `through`, if any, and a propagation.

        Args:
            fields: (T, h, w).
            through: a modulation before the propagation, if any.
            transfer: transfer function as `laid_out` returns it.
            out: where the result is written, if not into new memory.
        """
        height, width = self._size
        if self._whole:
            result = self._propagate_whole(fields, through, transfer)[..., :height, :width]
            return result.contiguous() if out is None else out.copy_(result)
        wide, grid = self._wide[: len(fields)], self._grid[: len(fields)]
        if through is None:
            wide[..., :width] = fields
        else:
            torch.mul(fields, through, out=wide[..., :width])
        grid[:, :height] = self._analyse(wide)
        spectrum = self._analyse(grid, dim=-2)
        spectrum *= transfer
        tall = self._synthesise(spectrum, dim=-2)[:, :height]
        result = self._synthesise(tall)[..., :width]
        return result.contiguous() if out is None else out.copy_(result)

    def _propagate_whole(self, fields: Tensor, through: Tensor | None, transfer: Tensor) -> Tensor:
        """Return fields on the whole padded grid, of which all beyond (h, w) was 0 before."""
        height, width = self._size
        grid = self._grid[: len(fields)]
        if through is None:
            grid[:, :height, :width] = fields
        else:
            torch.mul(fields, through, out=grid[:, :height, :width])
        spectrum = self._forth(grid)
        spectrum *= transfer
        result: Tensor = self._back(spectrum)
        return result


def along_columns(transfer: Tensor) -> Tensor:
    """Return a transfer function laid out as its spectrum comes from the transforms: column by column."""
    return transfer.mT.contiguous().mT


def _plane(planes: Tensor, index: int, samples: slice) -> Tensor:
    return planes[samples, index] if planes.dim() == 4 else planes[index]
