"""A window's ghost is found from the misfit of frames."""

from __future__ import annotations

import torch

from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.ghost import find_ghost
from twin.probes import smooth_phases

GEOMETRY = TwinGeometry((60, 60), 2, 9.2e-6, 850e-9, 3e-3, 0.3e-3, "slm_patch")


def test_angle_and_amplitude_of_a_ghost_are_found() -> None:
    truth, twin = DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY)
    values = truth.state_dict()
    values["ghost_mrad"] = torch.tensor([-1.5, 2.0])
    values["ghost_percent"] = torch.tensor([0.6, -0.8])
    truth.load_alignment(values)
    patterns = smooth_phases(30, (60, 60), 1.5, 3).view(10, 3, 60, 60)
    inputs, phases = patterns[:, 0], patterns[:, 1:]
    triples = Triples(inputs, phases, truth(inputs, phases).detach())
    find_ghost(twin, triples)
    assert torch.allclose(twin.ghost_mrad, values["ghost_mrad"], atol=0.25)
    assert torch.allclose(twin.ghost_percent, values["ghost_percent"], atol=0.3)
