"""The window of frames to which a twin is fitted: when it is, and how near it gets."""

from __future__ import annotations

import math

import pytest
import torch

from labdiff.training.twin_refinement import TwinRefiner
from labdiff.training.twin_window import LEAST_WAIT, TwinWindow, latest
from tests.unit.labdiff.training.test_twin_refinement import GEOMETRY, NO_NOISE, frames
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import parameter_vector
from twin.probe_choice import most_telling


def step_frames(seed: int) -> Triples:
    inputs, layers, light = frames(seed)
    return Triples(inputs, layers[None], light)


def test_one_fit_finds_what_many_filter_steps_do_not() -> None:
    with_window = TwinRefiner(DigitalTwin(GEOMETRY), window=TwinWindow(8))
    alone = TwinRefiner(DigitalTwin(GEOMETRY))
    floor = torch.full((4,), 1e-6)
    first = with_window.refine(*frames(0), floor, 0.0)
    second = with_window.refine(*frames(1), floor, 1.0)
    by_filter = [alone.refine(*frames(i), floor, float(i)) for i in range(2)]
    assert first.refined
    assert second.discrepancy < 0.1 * by_filter[1].discrepancy


def test_fits_wait_longer_and_longer_and_a_twin_at_its_floor_is_left_alone() -> None:
    window = TwinWindow(8)
    twin = DigitalTwin(GEOMETRY)
    assert not window.add(step_frames(0), 1.4e-3, 1e-3), "at its floor"
    assert not window.wants_probes
    assert window.add(step_frames(1), 5e-3, 1e-3), "off: at once"
    window.fit(twin, twin.finer(2), 5e-3)
    due = [window.add(step_frames(i), 2e-3, 1e-3) for i in range(2, 2 + LEAST_WAIT)]
    assert due == [False] * (LEAST_WAIT - 1) + [True]
    assert not window.wants_probes, "two floors are no reason for probes"


def test_a_twin_far_off_asks_for_probes_before_its_next_fit() -> None:
    window = TwinWindow(8, searching=True)
    twin = DigitalTwin(GEOMETRY)
    assert window.wants_probes, "it was never aligned"
    assert window.add(step_frames(0), 5e-2, 1e-3)
    window.fit(twin, twin.finer(2), 5e-2)
    assert not window.add(step_frames(1), 5e-3, 1e-3)
    assert window.wants_probes


def test_a_resumed_window_goes_on_bit_for_bit() -> None:
    straight, other = DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY)
    through, before = (TwinRefiner(t, window=TwinWindow(8)) for t in (straight, other))
    floor = torch.full((4,), 1e-7)
    for step in range(2):
        for refiner in (through, before):
            refiner.refine(*frames(step), floor, float(step))
    second = DigitalTwin(GEOMETRY)
    second.load_alignment(other.state_dict())
    after = TwinRefiner(second, window=TwinWindow(8))
    after.load_state(before.state())
    for step in range(2, 4):
        results = [r.refine(*frames(step), floor, float(step)) for r in (through, after)]
        assert results[0] == results[1]
    assert torch.equal(parameter_vector(straight), parameter_vector(second))


def test_a_state_without_a_window_is_that_of_a_former_version() -> None:
    former = TwinRefiner(DigitalTwin(GEOMETRY))
    former.refine(*frames(0), NO_NOISE, 0.0)
    refiner = TwinRefiner(DigitalTwin(GEOMETRY), window=TwinWindow(8))
    refiner.load_state(former.state())
    assert math.isfinite(refiner.refine(*frames(1), NO_NOISE, 1.0).discrepancy)


def test_the_window_holds_the_latest_frames_and_no_others() -> None:
    inputs, layers, light = frames(0)
    own = layers.expand(4, -1, -1, -1)
    held = latest(3, Triples(inputs, own, light, torch.ones_like(light, dtype=torch.bool)))
    assert torch.equal(held.intensity, light[1:])
    assert held.valid is not None and len(held.valid) == 3
    with pytest.raises(ValueError, match="no frames"):
        TwinWindow(3).fit(DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY), 1.0)


def test_probes_that_tell_nothing_new_are_not_chosen() -> None:
    twin = DigitalTwin(GEOMETRY)
    rng = torch.Generator().manual_seed(3)
    inputs, layers = torch.zeros(4, 24, 24), torch.zeros(4, 2, 24, 24)
    inputs[2:] = 2.0 * torch.rand(2, 24, 24, generator=rng)
    layers[2:] = 2.0 * torch.rand(2, 2, 24, 24, generator=rng)
    covariance = 0.01 * torch.eye(len(parameter_vector(twin)), dtype=torch.float64)
    before = parameter_vector(twin)
    chosen = most_telling(twin, (inputs, layers), covariance, 1e-8, 3)
    assert set(chosen[:2]) == {2, 3}, "flat patterns tell least"
    assert len(set(chosen)) == 3
    assert torch.equal(parameter_vector(twin), before)


def test_the_unit_of_intensity_is_that_of_the_first_alignment_and_no_later_fits() -> None:
    """The twin's own light is not determined by 24 x 24 pixels; in the unit that is found both agree."""
    seen, unseen = step_frames(0), step_frames(10)
    brighter = Triples(seen.inputs, seen.phases, 1.5 * seen.intensity)
    for searching in (True, False):
        window, twin = TwinWindow(8, searching), DigitalTwin(GEOMETRY)
        assert window.add(brighter, 5e-2, 1e-3)
        found = window.fit(twin, twin.finer(2), 5e-2)
        assert found is not None
        with torch.no_grad():
            light = twin.finer(2)(unseen.inputs, unseen.phases[0])
        over = float(1.5 * unseen.intensity.mean() / light.mean())
        if searching:
            assert found.scale == pytest.approx(over, rel=0.1)
        else:
            assert found.scale == 1.0
