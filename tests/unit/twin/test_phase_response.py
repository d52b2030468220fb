"""What stands in the crystal when the driver's table is a little wrong."""

from __future__ import annotations

import math

import pytest
import torch

from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.phase_response import crystal_phase
from twin.prior import data_sheet_prior
from twin.probes import block_phases

NO_STROKE, NO_BEND = torch.zeros(3), torch.zeros(4)


def test_a_right_table_only_wraps_phases() -> None:
    phases = torch.linspace(-20.0, 20.0, 12).view(3, 4)
    got = crystal_phase(phases, NO_STROKE, NO_BEND)
    assert float(got.min()) >= 0.0 and float(got.max()) < 2.0 * math.pi
    assert torch.allclose(got.cos(), phases.cos(), atol=1e-5)


def test_a_table_that_is_wrong_may_leave_the_turn_and_is_not_wrapped_again() -> None:
    got = crystal_phase(torch.full((1, 1), 6.25), torch.tensor([2.0, 0.0, 0.0]), NO_BEND)
    assert float(got) == pytest.approx(6.375)
    # Nor by what follows: a turn more would make a flank to the neighbours that is not there.
    twin = DigitalTwin(TwinGeometry((6, 6), 1, 9.2e-6, 850e-9, 5e-3, 1e-3, "dmd"))
    values = twin.state_dict()
    values |= {"crosstalk_px": torch.tensor(0.3), "stroke_percent": torch.tensor([[2.0, 0.0, 0.0]])}
    twin.load_alignment(values)
    phases = torch.full((1, 6, 6), 6.1)
    phases[0, :, 3:] = 6.25  # 6.22 and 6.375 in the crystal: hardly a step
    with torch.no_grad():
        field = twin.layer_modulation(0, phases)[0]
    assert float((field[:, 1:] - field[:, :-1]).abs().max()) < 0.2


def test_stroke_scales_the_wrapped_phase_and_varies_over_the_patch() -> None:
    phases = torch.full((5, 7), 2.0 * math.pi + 1.0)
    got = crystal_phase(phases, torch.tensor([10.0, 5.0, -2.0]), NO_BEND)
    assert float(got[2, 3]) == pytest.approx(1.1)
    assert float(got[2, 6]) == pytest.approx(1.15)
    assert float(got[4, 3]) == pytest.approx(1.08)


def test_a_bend_is_zero_at_the_ends_of_the_turn_and_largest_where_its_sine_is() -> None:
    phases = torch.tensor([[0.0, math.pi, 2.0 * math.pi - 1e-5]])
    got = crystal_phase(phases, NO_STROKE, torch.tensor([0.1, 0.0]))
    assert torch.allclose(got - phases, torch.tensor([[0.0, 0.1, 0.0]]), atol=1e-5)


def test_a_wrong_stroke_is_found_from_frames() -> None:
    geometry = TwinGeometry((40, 40), 2, 9.2e-6, 850e-9, 2e-3, 0.25e-3, "slm_patch")
    truth, twin = DigitalTwin(geometry), DigitalTwin(geometry)
    values = truth.state_dict()
    values["stroke_percent"] = torch.tensor([[1.5, 0.0, 0.0], [-1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    truth.load_alignment(values)
    patterns = block_phases(24, (40, 40), 8, 1).view(8, 3, 40, 40)
    inputs, phases = patterns[:, 0], patterns[:, 1:]
    triples = Triples(inputs, phases, truth(inputs, phases).detach())
    free = ("stroke_percent", "bend_rad")
    prior = data_sheet_prior(twin, share=1e-4)
    list(fit_alignment(twin, triples, (0.0, 0.0, 0.0), free, prior))
    assert torch.allclose(twin.stroke_percent[:, 0], values["stroke_percent"][:, 0], atol=0.3)
