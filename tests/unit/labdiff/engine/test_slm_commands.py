"""The SLM by commands: its maker's flatness map, holograms of the twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labdiff.config.bench import bench_text, load_bench
from labdiff.engine.commands import Connect, SetCorrection, ShowHologram, ShowPhase, Stop
from labdiff.engine.status import (
    ADDED,
    NOT_ADDED,
    BenchState,
    ErrorReport,
    JobState,
    PatternDisplayed,
)
from labdiff.events import HologramDisplayed, HologramStep, JobEnded
from tests.support.played_commands import Desk


def map_of(desk: Desk) -> list[str]:
    return [
        setting.text
        for state in desk.of(BenchState)
        for device in state.devices
        if device.kind == "slm"
        for setting in device.settings
        if setting.name == "flatness map"
    ]


def test_the_flatness_map_is_switched_and_the_pattern_displayed_anew(tmp_path: Path) -> None:
    text = bench_text("mock-small")[1]
    shape = load_bench("mock-small").slm.shape
    np.save(tmp_path / "map.npy", np.full(shape, 1.5))
    options = f'[slm.options]\ncorrection = "{(tmp_path / "map.npy").as_posix()}"\n\n[input]'
    path = tmp_path / "bench.toml"
    path.write_text(text.replace("[input]", options), encoding="utf-8")
    desk = Desk()
    desk.play(
        Connect(str(path)),
        ShowPhase(np.full(shape, 1.0, np.float32)),
        SetCorrection(False),
        SetCorrection(True),
    )
    assert not desk.of(ErrorReport)
    assert map_of(desk)[-3:] == [ADDED, NOT_ADDED, ADDED]


def test_an_slm_without_a_map_says_so() -> None:
    desk = Desk().play(Connect("mock-small"), SetCorrection(False))
    assert "slm.options.correction" in desk.of(ErrorReport)[0].message and map_of(desk) == []


def test_a_hologram_is_a_job_that_ends_with_a_pattern(tmp_path: Path) -> None:
    target = np.zeros((60, 60), np.float32)
    target[20:40, 25:35] = 1.0
    connect = Connect("mock-small", calibrations=tmp_path)
    desk = Desk().play(connect, ShowHologram(target, steps=6), 10)
    assert [step.step for step in desk.of(HologramStep)] == list(range(6))
    (shown,), (pattern,) = desk.of(HologramDisplayed), desk.of(PatternDisplayed)
    assert "data sheets' twin" in pattern.description and pattern.phase_rad.any()
    assert not shown.aligned and desk.of(JobEnded)[0].outcome == "completed"
    first = desk.of(JobState)[0]
    assert (first.kind, first.state) == ("hologram", "running")
    stopped = Desk().play(connect, ShowHologram(target, steps=500), 3, Stop())
    assert not stopped.of(PatternDisplayed) and stopped.of(JobEnded)[0].outcome == "stopped"
    wrong = Desk().play(connect, ShowHologram(target[:5]))
    assert "an image of 5 x 60 pixels" in wrong.of(ErrorReport)[0].message
