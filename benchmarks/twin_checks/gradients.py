"""Gradients of every element of the twin against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from twin import backplane, relay, source
from twin.cavity import FixedCavity
from twin.output_resampling import resample
from twin.phase_response import crystal_phase
from twin.pixel_response import reflection
from twin.propagation import propagate, transfer_function

PITCH_M, WAVELENGTH_M = 9.2e-6, 850e-9
DOUBLE = torch.float64
propagate_through: Callable[..., Tensor] = FixedCavity.apply


def elements() -> dict[str, tuple[Callable[..., Tensor], tuple[Tensor, ...]]]:
    """Return every element of the twin as a function of its float64 unknowns, small."""
    torch.manual_seed(4)
    side, grid = 6, 12

    def learnt(*shape: int, scale: float = 1.0) -> Tensor:
        return (scale * torch.rand(*shape, dtype=DOUBLE)).requires_grad_()

    def gap(distance_m: Tensor) -> Tensor:
        kind = torch.complex128
        return transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, distance_m * 1e-2, kind)

    fixed = gap(torch.tensor(1.0, dtype=DOUBLE))
    wave = torch.randn(2, side, side, dtype=torch.complex128, requires_grad=True)
    planes = torch.randn(2, side, side, dtype=torch.complex128, requires_grad=True)
    own = torch.randn(2, 2, side, side, dtype=torch.complex128, requires_grad=True)
    axis = torch.arange(side, dtype=DOUBLE) * PITCH_M
    modes = source.modes(axis[None], axis[:, None], 3.0 * side * PITCH_M)
    curvatures = backplane.curvature_modes(side, side)
    pupil = relay.aberration_modes((grid, grid), 1)

    def cavity(first: Tensor, modulations: Tensor) -> Tensor:
        return propagate_through(first, modulations, fixed, fixed)

    def shape(weights: Tensor, of: Tensor) -> Tensor:
        shaped: Tensor = torch.tensordot(weights, of, dims=1)
        return shaped

    def crystal(phases: Tensor, stroke: Tensor, bend: Tensor) -> Tensor:
        return crystal_phase(phases, stroke, bend)

    edge = (learnt(1, scale=3.0),)
    return {
        "propagation (gap)": (lambda z: propagate(wave.detach(), gap(z)), (learnt(1),)),
        "propagation (field)": (lambda u: propagate(u, fixed), (wave,)),
        "cavity, phases shared": (cavity, (wave, planes)),
        "cavity, phases each": (cavity, (wave, own)),
        "crosstalk, zero order": (
            lambda p, c, z: reflection(p, c, z),
            (learnt(side, side, scale=6.0), torch.tensor(0.3, dtype=DOUBLE, requires_grad=True), learnt(1)),
        ),
        "phase response": (crystal, (learnt(side, side, scale=6.0), learnt(3), learnt(2))),
        "backplane": (lambda w: shape(w, curvatures), (learnt(len(backplane.TERMS)),)),
        "aberration": (lambda w: shape(w, pupil), (learnt(len(relay.TERMS)),)),
        "beam": (
            lambda x0, w: source.gaussian(axis[None] - x0 * PITCH_M, axis[:, None], w * 1e-4),
            (learnt(1), learnt(1)),
        ),
        "beam structure": (lambda c: source.structure(modes, c), (learnt(len(source.ORDERS), 2),)),
        "mirror edge": (lambda e: source.past_mirror_edge(wave.detach()[0], e, 1, fixed), edge),
        "registration, distortion": (
            lambda i, a, s, d: resample(i, (side, side), a, s, d),
            (learnt(1, side, side), learnt(2, 2, scale=0.02), learnt(2), learnt(1, scale=0.02)),
        ),
    }  # fmt: skip


def measure(setting: Setting) -> Outcome:
    """Check every element's gradients."""
    # Arrays of 6 x 6: more threads than one would only wait for each other.
    torch.set_num_threads(1)
    each, random = "each derivative", "random directions"
    checked = setting.amount("gradcheck", smoke=random, quick=each, full=each)
    unknown = elements()
    failing = [
        name
        for name, (function, unknowns) in unknown.items()
        if not torch.autograd.gradcheck(
            function, unknowns, raise_exception=False, fast_mode=checked == random
        )
    ]
    title = f"gradcheck: failing of {len(unknown)} elements"
    return Outcome([claim(title, len(failing), "<= 0")], {"failing": failing})
