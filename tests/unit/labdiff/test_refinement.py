"""The twin that is looked at with every batch."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.learning.refinement import Refinement
from twin.digital_twin import DigitalTwin, TwinGeometry

GEOMETRY = TwinGeometry((24, 24), 2, 9.2e-6, 850e-9, 2e-3, 0.2e-3, "slm_patch")


def bench(seed: int, frames: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, layers and what a bench with a tilted mirror answers."""
    rng = torch.Generator().manual_seed(seed)
    inputs = 2.0 * torch.rand(frames, 24, 24, generator=rng)
    layers = 2.0 * torch.rand(2, 24, 24, generator=rng)
    true = DigitalTwin(GEOMETRY)
    true.load_alignment(true.state_dict() | {"d_alpha_mirror_mrad": torch.tensor([0.3, -0.2])})
    with torch.no_grad():
        return inputs, layers, true(inputs, layers)


def test_resumed_refinement_goes_on_bit_for_bit() -> None:
    straight, first, second = (DigitalTwin(GEOMETRY) for _ in range(3))
    through, before = Refinement(straight), Refinement(first)
    floor = torch.full((4,), 1e-9)
    for step in range(3):
        for refinement in (through, before):
            refinement.look(*bench(step), floor, float(step))
    after = Refinement(second)
    second.load_alignment(first.state_dict())
    after.load_state(before.state())
    for step in range(3, 6):
        looks = [r.look(*bench(step), floor, float(step)) for r in (through, after)]
        assert looks[0] == looks[1]
    for one, other in zip(straight.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
