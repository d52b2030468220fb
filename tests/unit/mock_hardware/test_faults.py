"""What goes wrong, by script and by chance."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from mock_hardware.fault_script import FOR_EVER, Fault, Scripted, parse
from mock_hardware.faults import FaultPlan
from mock_hardware.settings import MockFaultSettings, MockSettings

FRAMES = 20_000
CHANCES: tuple[Fault, ...] = ("dropped", "duplicated", "torn", "late")


def plan(seed: int = 1, **settings: Any) -> FaultPlan:
    return FaultPlan(MockFaultSettings(**settings), seed)


def hits(faults: FaultPlan, fault: Fault, frames: int = FRAMES) -> np.ndarray[Any, Any]:
    return np.array([fault in faults.at(frame) for frame in range(1, frames + 1)])


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("unplugged@120", Scripted("unplugged", 120, 120)),
        ("slm_frozen@40-60", Scripted("slm_frozen", 40, 60)),
        ("dropped@7-", Scripted("dropped", 7, FOR_EVER)),
        ("late@3-3", Scripted("late", 3, 3)),
    ],
)
def test_a_line_is_read(line: str, meant: Scripted) -> None:
    assert parse(line) == meant


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_fault_can_be_scripted(fault: Fault) -> None:
    assert plan(script=(f"{fault}@2",)).at(2) == {fault}


@pytest.mark.parametrize(
    "line",
    [
        "burnt@3",
        "unplugged",
        "unplugged@",
        "unplugged@-3",
        "unplugged@x",
        "unplugged@1.5",
        "unplugged@3-x",
        "unplugged 3",
        "unplugged@3-4-5",
        " unplugged@3",
        "unplugged@3\n",
        "Unplugged@3",
        "@3",
        "",
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_what_is_allowed(line: str) -> None:
    with pytest.raises(ValueError, match="is no fault") as refusal:
        parse(line)
    message = str(refusal.value)
    assert f'"{line}"' in message
    for form in ("NAME@FRAME", "NAME@FIRST-LAST", "NAME@FIRST-"):
        assert form in message
    for known in get_args(Fault):
        assert known in message


def test_the_settings_refuse_such_a_line_too() -> None:
    with pytest.raises(ValueError, match="slm_frozen"):
        MockSettings.model_validate({"faults": {"script": ["burnt@3"]}})


def test_a_script_meets_its_frames_first_and_last_included() -> None:
    faults = plan(script=("unplugged@12", "slm_frozen@4-6", "dropped@7-"))
    assert hits(faults, "unplugged", 20).nonzero()[0].tolist() == [11]
    assert hits(faults, "slm_frozen", 20).nonzero()[0].tolist() == [3, 4, 5]
    assert hits(faults, "dropped", 20).nonzero()[0].tolist() == list(range(6, 20))
    assert "dropped" in faults.at(10**9)


def test_several_faults_may_meet_one_frame() -> None:
    faults = plan(script=("torn@3", "saturated@2-5", "torn@3-4"))
    assert faults.at(3) == {"torn", "saturated"}
    assert faults.at(1) == set()


def test_without_faults_every_frame_is_sound() -> None:
    faults = FaultPlan(MockSettings().off().faults, 1)
    assert not any(faults.at(frame) for frame in range(1, 500))


@pytest.mark.parametrize("fault", CHANCES)
def test_a_chance_is_met_as_often_as_it_says(fault: Fault) -> None:
    chance, frames = 0.03, FRAMES // 4
    met = hits(plan(**{fault: chance}), fault, frames)
    assert abs(met.mean() - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / frames)
    # Met twice in a row as often as two frames that do not know of each other.
    pairs = np.mean(met[1:] & met[:-1])
    assert abs(pairs - chance**2) < 4.0 * np.sqrt(chance**2 / frames)


def test_a_certain_fault_meets_every_frame_and_only_itself() -> None:
    faults = plan(torn=1.0)
    assert all(faults.at(frame) == {"torn"} for frame in range(1, 200))


def test_two_chances_do_not_know_of_each_other() -> None:
    faults, frames = plan(dropped=0.5, late=0.5), FRAMES // 4
    dropped, late = hits(faults, "dropped", frames), hits(faults, "late", frames)
    assert abs(np.mean(dropped & late) - 0.25) < 4.0 * np.sqrt(0.25 * 0.75 / frames)


def test_chances_come_from_the_seed_and_the_frame_alone() -> None:
    frames = range(1, 400)
    forwards = {frame: plan(dropped=0.2, torn=0.2).at(frame) for frame in frames}
    one = plan(dropped=0.2, torn=0.2)
    assert {frame: one.at(frame) for frame in reversed(frames)} == forwards
    assert {frame: one.at(frame) for frame in frames} == forwards, "asked again"
    other = plan(seed=2, dropped=0.2, torn=0.2)
    assert {frame: other.at(frame) for frame in frames} != forwards


def test_a_fault_can_be_added_to_what_is_planned() -> None:
    faults = plan(script=("torn@3",))
    faults.add("late", 3)
    faults.add("unplugged", 5, 6)
    assert [faults.at(frame) for frame in (2, 3, 4, 5, 6, 7)] == [
        set(),
        {"torn", "late"},
        set(),
        {"unplugged"},
        {"unplugged"},
        set(),
    ]
