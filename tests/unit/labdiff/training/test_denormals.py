from __future__ import annotations

import torch

from labdiff.config.training import TrainingOptions
from labdiff.training.optimiser import LayerOptimiser
from twin.denoising_unit import OpticalDenoisingUnit
from twin.denormals import denormals_flushed

TINY = torch.finfo(torch.float32).tiny


def _halved() -> float:
    return float(torch.tensor([TINY]) * 0.5)


def test_denormals_are_0_while_it_is_entered_and_numbers_again_afterwards() -> None:
    assert _halved() > 0.0
    with denormals_flushed():
        assert _halved() == 0.0
        with denormals_flushed():
            assert _halved() == 0.0
        assert _halved() == 0.0
    assert _halved() > 0.0


def test_no_mean_of_adam_stays_denormal() -> None:
    """The means of a pixel without light fall by a tenth a step."""
    options = TrainingOptions(layer_sets=1)
    optimiser = LayerOptimiser(OpticalDenoisingUnit(1, 2, (8, 8), (4, 4)), 0, options, 0.1, 10)
    moved = optimiser.parameters[0]
    moved.grad = torch.zeros_like(moved)
    optimiser.step()
    state = {name: torch.full_like(value, TINY) for name, value in optimiser.state().items()}
    optimiser.load_state({**state, "0.step": torch.tensor(5.0)})
    moved.grad = torch.zeros_like(moved)
    optimiser.step()
    left = optimiser.state()["0.exp_avg"]
    assert float(left.abs().max()) == 0.0
