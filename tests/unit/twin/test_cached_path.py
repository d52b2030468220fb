"""What is cached of the light's path gives the intensities that the twin computes."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from twin.cached_path import CachedPath
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.parameter_vector import load_parameter_vector, parameter_vector, value_names
from twin.parameters import NO_EDGE_PX

FRAMES, LAYERS, SIZE = 9, 2, 12


@pytest.mark.parametrize(
    ("kind", "edge_px", "with_fields"),
    [("slm_patch", NO_EDGE_PX, True), ("dmd", 1.0, True), ("slm_patch", 1.0, False)],
)
def test_each_parameter_is_followed_from_where_it_acts(
    kind: Literal["slm_patch", "dmd"], edge_px: float, with_fields: bool
) -> None:
    twin = DigitalTwin(
        TwinGeometry(
            (SIZE, SIZE + 2), LAYERS, 9.2e-6, 850e-9, 0.4e-3, 0.08e-3, kind, numerical_aperture=0.04
        )
    )
    chance = torch.Generator().manual_seed(0)
    start = parameter_vector(twin)
    start += 0.2 + 0.3 * torch.rand(len(start), generator=chance)
    names = value_names(twin)
    start[names.index("mirror_edge_px")] = edge_px
    load_parameter_vector(twin, start)
    inputs = torch.rand(FRAMES, SIZE, SIZE + 2, generator=chance)
    phases = 6.0 * torch.rand(FRAMES, LAYERS, SIZE, SIZE + 2, generator=chance)
    path = CachedPath(twin, inputs, phases, with_fields)
    with torch.no_grad():
        expected = twin(inputs, phases)
        torch.testing.assert_close(path.intensity(), expected, rtol=1e-5, atol=1e-5)
        for index, name in enumerate(names):
            moved = start.clone()
            moved[index] += 0.2
            load_parameter_vector(twin, moved)
            there = twin(inputs, phases)
            if name != "mirror_edge_px" or edge_px != NO_EDGE_PX:
                assert float((there - expected).abs().max()) > 1e-4, f"{name} does nothing here"
            nearby = path.nearby_intensity()
            torch.testing.assert_close(nearby, there, rtol=1e-5, atol=1e-5, msg=name)
        # What is stored may be anywhere: all that lies between is computed anew.
        everywhere = start + 0.1
        for theta in (moved, everywhere, start):
            load_parameter_vector(twin, theta)
            expected = twin(inputs, phases)
            torch.testing.assert_close(path.intensity(), expected, rtol=1e-5, atol=1e-5)
