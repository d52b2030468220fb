from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from labdiff.session.plans import FILE, VARIABLE, machine_name, plan_lines, stored_plans, use_plan
from twin.cavity import FixedCavity, cavity_intensity
from twin.propagation import padded_size, transfer_function
from twin.transform_plan import (
    MOST_ROUNDS,
    PLANS,
    GridSize,
    TransformPlan,
    candidates,
    chosen_plan,
    standard_plan,
    timed_plans,
)

FIELD, PADDED = (12, 14), (16, 18)


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LABDIFF_CONFIG", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    PLANS.forget()
    return tmp_path / FILE


def _size() -> GridSize:
    return GridSize(FIELD, PADDED, torch.get_num_threads())


@pytest.mark.parametrize("kind", ["lines", "whole"])
@pytest.mark.parametrize("together", [1, 2, 3, 8])
@pytest.mark.parametrize("shared", [True, False])
def test_every_plan_is_the_same_physics(kind: str, together: int, shared: bool) -> None:
    torch.manual_seed(0)
    pitch_m, wavelength_m, gap_m = 9.2e-6, 850e-9, 2e-3
    rows, columns = (padded_size(size, pitch_m, wavelength_m, gap_m) for size in FIELD)
    gap = transfer_function((rows, columns), pitch_m, wavelength_m, gap_m)
    first = torch.randn(5, *FIELD, dtype=torch.complex64)
    planes = torch.randn(*(() if shared else (5,)), 3, *FIELD, dtype=torch.complex64)
    given = [tensor.clone().requires_grad_() for tensor in (first, planes)]
    expected = [tensor.clone().requires_grad_() for tensor in (first, planes)]
    plan = TransformPlan("whole" if kind == "whole" else "lines", together)
    with PLANS.forced(plan):
        found = FixedCavity.apply(*given, gap, gap)
        found.square().sum().backward()
    wanted = cavity_intensity(*expected, gap, gap)
    wanted.square().sum().backward()
    assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.detach().max()))
    for one, other in zip(given, expected, strict=True):
        assert one.grad is not None and other.grad is not None
        scale = float(other.grad.abs().max())
        assert float((one.grad - other.grad).abs().max()) < 1e-4 * scale


def test_a_plan_is_measured_once_and_stored_with_the_machines_name(own_folder: Path) -> None:
    use_plan(FIELD, PADDED)
    stored = json.loads(own_folder.read_text())
    assert list(stored) == [machine_name()]
    (plan,) = stored_plans()
    assert plan.size == _size().name
    assert PLANS.plan(_size()) == plan.plan
    assert plan.plan.name in plan.ms
    before = own_folder.read_bytes()
    use_plan(FIELD, PADDED)
    assert own_folder.read_bytes() == before


def test_a_stored_plan_is_used_and_shown(own_folder: Path) -> None:
    entry = {"kind": "whole", "together": 3, "ms": {"whole x 3": 0.25, "lines x 1": 0.5}}
    own_folder.write_text(json.dumps({machine_name(): {_size().name: entry}}))
    use_plan(FIELD, PADDED)
    assert PLANS.plan(_size()) == TransformPlan("whole", 3)
    assert any("whole x 3 (whole x 3 0.25, lines x 1 0.5)" in line for line in plan_lines())


@pytest.mark.parametrize(
    "content",
    ["", "no json", "[]", '{"%s": 3}', '{"%s": {"a": 3}}', '{"%s": {"a": {"kind": "odd"}}}'],
)
def test_a_damaged_file_counts_as_none(content: str, own_folder: Path) -> None:
    own_folder.write_text(content.replace("%s", machine_name()))
    assert stored_plans() == []
    assert "no plan is stored" in plan_lines()[0]
    use_plan(FIELD, PADDED)
    assert [plan.size for plan in stored_plans()] == [_size().name]


def test_plans_of_another_machine_are_left_alone(own_folder: Path) -> None:
    own_folder.write_text(json.dumps({"another": {"a": {}}}))
    use_plan(FIELD, PADDED)
    assert set(json.loads(own_folder.read_text())) == {"another", machine_name()}


def test_nothing_is_measured_where_plans_are_off(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    use_plan(FIELD, PADDED)
    assert not own_folder.exists()
    assert PLANS.plan(_size()) == standard_plan(_size())


def test_a_folder_that_cannot_be_written_to_does_not_stop_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    monkeypatch.setenv("LABDIFF_CONFIG", str(taken))
    use_plan(FIELD, PADDED)
    assert PLANS.plan(_size()) in candidates(_size())


def test_trying_ends_when_the_time_is_spent() -> None:
    size = GridSize((100, 100), (128, 128), 1)
    seconds = itertools.count()
    slow = timed_plans(size, lambda plan: 1.0, 0.4, lambda: float(next(seconds)))
    assert list(slow) == [standard_plan(size)]
    asked = Counter[TransformPlan]()

    def time_s(plan: TransformPlan) -> float:
        asked[plan] += 1
        return 1.0 / asked[plan]

    quick = timed_plans(size, time_s, 0.4, lambda: 0.0)
    assert list(quick) == candidates(size)
    assert set(asked.values()) == {MOST_ROUNDS}
    assert set(quick.values()) == {1.0 / MOST_ROUNDS}


@pytest.mark.parametrize(("other_s", "changes"), [(0.8, True), (0.9, False), (1.1, False)])
def test_another_plan_is_taken_if_it_is_clearly_faster(other_s: float, changes: bool) -> None:
    standard, other = TransformPlan("lines", 1), TransformPlan("whole", 2)
    assert chosen_plan({standard: 1.0, other: other_s}) == (other if changes else standard)


def test_candidates_are_both_kinds_and_fit_the_memory() -> None:
    names = [plan.name for plan in candidates(GridSize((1000, 1000), (1600, 1600), 2))]
    assert names == ["lines x 1", "whole x 1"]
