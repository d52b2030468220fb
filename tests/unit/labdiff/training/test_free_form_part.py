"""The free-form part in online learning: tried where parameters do not help, adopted by held-out frames."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from labdiff.config.training import TrainingOptions
from labdiff.training.free_form import FIRST_WAIT, FreeFormPart
from labdiff.training.methods import step_counts
from labdiff.training.twin_refinement import TwinRefiner
from labdiff.training.twin_window import TwinWindow
from tests.unit.labdiff.training.test_training_loop import TwinBench, trained
from tests.unit.labdiff.training.test_twin_refinement import GEOMETRY, NO_NOISE
from twin.alignment_fit import Triples
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import parameter_vector

FLOOR = 1e-4
FLOORS = torch.full((4,), FLOOR)


def noisy_panel() -> DigitalTwin:
    """Return a bench whose pixels have phases of their own."""
    bench = DigitalTwin(GEOMETRY)
    rng = torch.Generator().manual_seed(3)
    bench.set_free_form({"phase_map_rad": 0.3 * torch.randn(3, 24, 24, generator=rng)})
    return bench


def frames(bench: DigitalTwin, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    inputs = 3.0 * torch.rand(4, 24, 24, generator=rng)
    layers = 2.0 + torch.rand(2, 24, 24, generator=rng)
    with torch.no_grad():
        return inputs, layers, bench(inputs, layers)


def batch(bench: DigitalTwin, seed: int) -> Triples:
    inputs, layers, light = frames(bench, seed)
    return Triples(inputs, layers[None], light)


def refiner(twin: DigitalTwin) -> TwinRefiner:
    """Return one that has nothing but the angles to fit, and a free-form part."""
    free = torch.cat(
        [
            torch.full((p.numel(),), 0.3 * (n.startswith("d_alpha")))
            for n, p in twin.named_parameters()
        ]
    )
    return TwinRefiner(
        twin,
        torch.diag(free.double().square()),
        samples=1,
        window=TwinWindow(8),
        free_form=FreeFormPart(twin, 64),
    )


def test_where_parameters_do_not_help_a_free_form_part_does_and_they_stay() -> None:
    bench, twin = noisy_panel(), DigitalTwin(GEOMETRY)
    refinement = refiner(twin)
    before = parameter_vector(twin)
    found = [refinement.refine(*frames(bench, i), FLOORS, float(i)) for i in range(12)]
    assert set(twin.free_form) == {"phase_map_rad", "stray_percent"}
    assert torch.equal(parameter_vector(twin), before), "nothing was bent towards the map"
    assert found[-1].discrepancy < 0.4 * found[0].discrepancy
    assert not refinement.wants_probes


def test_a_bench_that_parameters_explain_gets_none() -> None:
    bench, twin = DigitalTwin(GEOMETRY), DigitalTwin(GEOMETRY)
    bench.load_alignment(bench.state_dict() | {"d_alpha_mirror_mrad": torch.tensor([0.3, -0.2])})
    refinement = refiner(twin)
    floor = torch.full((4,), 5e-3)
    found = [refinement.refine(*frames(bench, i), floor, float(i)) for i in range(6)]
    assert not twin.free_form
    assert found[-1].discrepancy < 0.5 * found[0].discrepancy


def test_a_part_that_helps_no_new_frames_is_never_the_twins() -> None:
    twin = DigitalTwin(GEOMETRY)
    part = FreeFormPart(twin, 64)
    for step in range(2 * FIRST_WAIT):
        # A bench that is another one at each batch.
        bench = noisy_panel()
        rng = torch.Generator().manual_seed(step)
        phase_map = 0.3 * torch.randn(3, 24, 24, generator=rng)
        bench.set_free_form({"phase_map_rad": phase_map})
        part.take(batch(bench, step), 100 * FLOOR, FLOOR, exhausted=step == 0)
        assert not twin.free_form
    assert not part.trying


def test_a_part_that_no_longer_helps_is_dropped_and_tried_again_later() -> None:
    twin, bench = DigitalTwin(GEOMETRY), noisy_panel()
    part = FreeFormPart(twin, 16)
    for step in range(4):
        part.take(batch(bench, step), 100 * FLOOR, FLOOR, exhausted=True)
    assert part.adopted and twin.free_form
    other = DigitalTwin(GEOMETRY)
    other.set_free_form({name: -value for name, value in bench.free_form.items()})
    for step in range(2):
        part.take(batch(other, step), 100 * FLOOR, FLOOR, exhausted=False)
    assert not part.adopted and not twin.free_form
    tried = []
    for step in range(FIRST_WAIT + 1):
        part.take(batch(bench, step), 100 * FLOOR, FLOOR, exhausted=True)
        tried.append(part.trying)
    assert not tried[0] and tried[-1]


@pytest.mark.parametrize(
    ("discrepancy", "floor", "exhausted"),
    [(3 * FLOOR, FLOOR, True), (100 * FLOOR, FLOOR, False), (0.1, math.nan, True)],
)
def test_it_is_not_tried_without_need(discrepancy: float, floor: float, exhausted: bool) -> None:
    part = FreeFormPart(DigitalTwin(GEOMETRY), 16)
    part.take(batch(noisy_panel(), 0), discrepancy, floor, exhausted)
    assert not part.trying
    assert set(part.state()) == {"own"}, "and stores nothing"


def test_a_resumed_refinement_goes_on_bit_for_bit() -> None:
    bench = noisy_panel()
    straight, other, second = (DigitalTwin(GEOMETRY) for _ in range(3))
    through, before = refiner(straight), refiner(other)
    for step in range(4):
        for refinement in (through, before):
            refinement.refine(*frames(bench, step), FLOORS, float(step))
    second.load_alignment(other.state_dict())
    after = refiner(second)
    after.load_state(before.state())
    for step in range(4, 7):
        results = [r.refine(*frames(bench, step), FLOORS, float(step)) for r in (through, after)]
        assert results[0] == results[1]
    for name, value in straight.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_a_state_of_a_former_version_has_no_part() -> None:
    former = TwinRefiner(DigitalTwin(GEOMETRY), window=TwinWindow(8))
    former.refine(*frames(noisy_panel(), 0), NO_NOISE, 0.0)
    refinement = refiner(DigitalTwin(GEOMETRY))
    refinement.load_state(former.state())
    assert refinement.refine(*frames(noisy_panel(), 1), FLOORS, 1.0).trusted


def test_steps_on_the_twin_take_no_frame_and_the_comparison_gets_as_many() -> None:
    _, plain, bench = trained("online", online_steps=6)
    _, more, asked = trained("online", online_steps=6, twin_steps=3)
    assert len(asked.asked) == len(bench.asked)
    assert not torch.equal(plain.odu.phases, more.odu.phases)
    options = TrainingOptions(layer_sets=2, online_steps=8, further_steps=0.5, twin_steps=3)
    assert step_counts(options, "online") == [8, 4]
    assert step_counts(options, "physics_aware") == [8, 4]
    assert step_counts(options, "further") == [32, 16]


def test_steps_on_the_twin_let_the_same_frames_teach_more() -> None:
    few, _, _ = trained("online", TwinBench(), online_steps=20, overlap=False)
    many, _, _ = trained("online", TwinBench(), online_steps=20, overlap=False, twin_steps=4)
    ends = [sum(s.bench_mse or math.nan for s in steps[-8:]) for steps in (few, many)]
    assert ends[1] < ends[0]
