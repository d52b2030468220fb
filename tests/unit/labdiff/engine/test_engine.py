"""One bench that stays open, steered by commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import DeviceTimeoutError
from drivers.types import Roi
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.engine.commands import (
    Calibrate,
    Command,
    Connect,
    Disconnect,
    Generate,
    Pause,
    Requested,
    Resume,
    SafeState,
    SetEmission,
    SetExposure,
    SetLive,
    SetPower,
    SetRoi,
    ShowInput,
    ShowPhase,
    Stop,
    Train,
)
from labdiff.engine.status import Answered, BenchState, ErrorReport, InputDisplayed, JobState
from labdiff.errors import JobStoppedError
from labdiff.events import GenerationStep, JobEnded
from labdiff.generation.request import GenerationRequest
from labdiff.runs.reader import read_run
from labdiff.session.layer_file import pretrained_path, read_layers
from mock_hardware.laser import MockLaser
from tests.support.played_commands import Desk

TWO_STEPS = Generate(GenerationRequest(count=1, sampler={"sampler_steps": 2}))
MANY_STEPS = Generate(GenerationRequest(count=1, sampler={"sampler_steps": 200}))


def test_connected_devices_are_reported_with_requested_and_declared_values() -> None:
    desk = Desk().play(Connect("mock"))
    first = desk.of(BenchState)[0]
    assert [d.kind for d in first.devices] == ["slm", "camera", "laser"]
    assert all(d.connected and d.driver == "mock" for d in first.devices)
    assert not first.emission
    assert first.sensor_shape == (256, 320) and first.bit_depth == 12
    exposure = next(s for s in first.devices[1].settings if s.name == "exposure")
    assert (exposure.requested, exposure.actual, exposure.unit) == (2.0, 2.0, "ms")
    assert exposure.low == 0.005 and exposure.high == 1000.0
    assert desk.of(BenchState)[-1].devices == (), "gone after Quit"


def test_a_requested_command_is_answered_by_its_number_with_what_went_wrong() -> None:
    desk = Desk().play(
        Requested(1, SetExposure(1.0)),
        Requested(2, Connect("mock")),
        Requested(3, SetExposure(4.0)),
        Requested(4, SetExposure(5e4)),
        SetExposure(2.0),
    )
    first, second, third, fourth = desk.of(Answered)
    assert first == Answered(1, "no bench is connected; choose one and connect")
    assert (second, third) == (Answered(2, ""), Answered(3, ""))
    assert fourth.number == 4 and fourth.error == desk.of(ErrorReport)[-1].message


def test_values_are_set_and_read_back_and_wrong_ones_refused() -> None:
    desk = Desk().play(
        Connect("mock"),
        SetExposure(4.0),
        SetExposure(5e4),
        SetPower(3.0),
        SetRoi(Roi(8, 16, 100, 120)),
        SetRoi(None),
        SetEmission(True),
    )
    assert desk.setting("camera", "exposure")[-1] == 4.0
    assert desk.setting("laser", "power")[-1] == 3.0
    windows = [
        setting.text
        for state in desk.of(BenchState)
        for device in state.devices
        for setting in device.settings
        if setting.name == "ROI"
    ]
    assert any(text.startswith("120 x ") for text in windows)
    assert windows[-1].startswith("320 x ")
    assert [s for s in desk.of(BenchState) if s.devices][-1].emission
    (trouble,) = desk.of(ErrorReport)
    assert "exposure 50000.0 ms; allowed is 0.005 ... 1000.0 ms" in trouble.message


def test_without_a_bench_commands_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    desk = Desk().play(SetExposure(1.0), Calibrate(), Connect(str(missing)))
    words = [trouble.message for trouble in desk.of(ErrorReport)]
    assert words[:2] == ["no bench is connected; choose one and connect"] * 2
    assert "none.toml: no such bench file" in words[2]


def test_live_frames_come_while_nothing_else_is_done() -> None:
    desk = Desk().play(Connect("mock"), SetEmission(True), SetLive(True), 3, SetLive(False), 2)
    assert len(desk.frames) == 3
    assert [f.sequence for f in desk.frames] == sorted({f.sequence for f in desk.frames})
    assert desk.frames[-1].pixels.shape == (256, 320)
    assert desk.frames[-1].pixels.mean() > desk.frames[-1].pixels.min() + 10


def test_a_camera_that_is_unplugged_ends_the_live_view_with_a_message(tmp_path: Path) -> None:
    text = bench_text("mock")[1].replace("script = []", 'script = ["unplugged@2-"]')
    path = tmp_path / "bench.toml"
    path.write_text(text, encoding="utf-8")
    desk = Desk().play(Connect(str(path)), SetLive(True), 4)
    assert len(desk.frames) == 1
    assert "disconnected" in desk.of(ErrorReport)[0].message
    assert "The live view is off" in desk.of(ErrorReport)[0].message


def test_a_job_is_paused_goes_on_and_ends() -> None:
    desk = Desk()
    seen: list[int] = []

    def count() -> None:
        seen.append(len(desk.of(GenerationStep)))

    desk.play(
        Connect("mock"), MANY_STEPS, 4, count, Pause(), 5, count, Resume(), 3, count, Stop(), 2
    )
    assert seen[0] == seen[1] > 0 and seen[2] == seen[1] + 3
    states = [(s.kind, s.state) for s in desk.of(JobState)]
    assert states[:3] == [
        ("generation", "running"),
        ("generation", "paused"),
        ("generation", "running"),
    ]
    assert states[-2:] == [("generation", "stopping"), ("", "idle")]
    assert desk.of(JobEnded)[0].outcome == "stopped"


def test_the_twin_generates_without_a_bench_and_the_bench_does_not() -> None:
    on_bench = Generate(GenerationRequest(count=1, sampler={"sampler_steps": 2}, where="bench"))
    desk = Desk().play(on_bench, TWO_STEPS, 5)
    assert "no bench is connected" in desk.of(ErrorReport)[0].message
    assert desk.of(JobEnded)[0].outcome == "completed"
    assert len(desk.of(GenerationStep)) == 2


def test_one_job_at_a_time_and_no_value_is_changed_under_it() -> None:
    desk = Desk().play(Connect("mock"), TWO_STEPS, 1, SetExposure(1.0), TWO_STEPS, 5)
    assert [t.message for t in desk.of(ErrorReport)] == [
        "the bench is busy: generation; stop it first"
    ] * 2
    assert desk.of(JobEnded)[0].outcome == "completed"
    assert len(desk.of(GenerationStep)) == 2


def test_the_safe_state_ends_the_job_and_darkens_the_bench() -> None:
    desk = Desk()
    dark: list[bool] = []

    def press() -> None:
        desk.engine.laser_off()
        dark.append(not desk.bench.laser.emission)

    phase = np.ones((144, 640), np.float32)
    desk.play(
        Connect("mock"), ShowPhase(phase), SetEmission(True), MANY_STEPS, 3, press, SafeState(), 1
    )
    assert dark == [True], "at once, before the command itself is looked at"
    last = [s for s in desk.of(BenchState) if s.devices][-1]
    assert not last.emission and not last.live
    assert desk.of(JobEnded)[0].outcome == "stopped"


def test_until_the_bench_is_safe_no_command_and_no_job_lights_it_again() -> None:
    desk = Desk()
    dark: list[bool] = []

    def press() -> None:
        desk.engine.laser_off()

    def look() -> None:
        dark.append(not desk.bench.laser.emission)
        with pytest.raises(JobStoppedError, match="switched off"):
            desk.bench.switch_on()
        dark.append(not desk.bench.laser.emission)

    desk.play(Connect("mock"), SetEmission(True), press, SetEmission(True), Calibrate(), look)
    assert dark == [True, True]
    refused = [error.message for error in desk.of(ErrorReport)]
    assert len(refused) == 2
    assert "was switched off" in refused[0] and "is being made safe" in refused[1]


def test_the_safe_state_is_completed_also_where_no_command_follows() -> None:
    desk = Desk()
    lit: list[bool] = []

    def press() -> None:
        desk.engine.laser_off()

    def look() -> None:
        lit.append(desk.bench.laser.emission)

    desk.play(
        Connect("mock"), SetEmission(True), MANY_STEPS, 3, press, 2, look, SetEmission(True), look
    )
    assert desk.of(JobEnded)[0].outcome == "stopped"
    assert lit == [False, True], "a bench that was made safe can be lit again"
    assert not desk.of(ErrorReport)


def test_the_bench_is_closed_when_whoever_steered_it_is_gone() -> None:
    desk = Desk()
    commands: Iterator[Command] = iter([Connect("mock"), SetEmission(True)])
    benches = []

    def take(timeout_s: float) -> Command | None:
        benches.append(desk.engine._opened)
        try:
            return next(commands)
        except StopIteration:
            raise EOFError from None

    desk.engine.serve(take)
    assert benches[-1] is not None and not benches[-1].bench.laser.emission
    with pytest.raises(Exception, match="is closed"):
        benches[-1].bench.slm.set_phase(np.zeros((144, 640), np.float32))


def test_a_laser_that_was_not_left_dark_is_no_dark_one_when_the_bench_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(laser: MockLaser, value: bool) -> None:
        raise DeviceTimeoutError("no answer")

    def fall_mute() -> None:
        monkeypatch.setattr(MockLaser, "emission", property(lambda laser: True, fails))

    monkeypatch.setattr("labdiff.bench.bench_safety._MAY_BE_ON", {})
    desk = Desk().play(Connect("mock-small"), SetEmission(True), fall_mute, Disconnect())
    assert "the laser may be ON" in desk.of(ErrorReport)[-1].message
    last = desk.of(BenchState)[-1]
    assert not last.devices and last.emission


def test_disconnect_and_connect_again() -> None:
    desk = Desk().play(Connect("mock"), Disconnect(), Connect("mock", seed=3), SetExposure(1.0))
    assert not desk.of(ErrorReport)
    assert desk.setting("camera", "exposure")[-1] == 1.0


def test_what_a_job_has_set_counts_as_asked_for() -> None:
    desk = Desk()

    def set_by_the_job() -> None:
        desk.bench.camera.exposure_ms = 7.0

    desk.play(Connect("mock"), SetExposure(4.0), TWO_STEPS, 1, set_by_the_job, 4)
    last = [s for s in desk.of(BenchState) if s.devices][-1]
    exposure = next(s for s in last.devices[1].settings if s.name == "exposure")
    assert (exposure.requested, exposure.actual) == (7.0, 7.0)


def test_a_training_starts_from_the_pretrained_layers(tmp_path: Path) -> None:
    options = TrainingOptions(image_size=12, layer_sets=2, online_steps=1, seed=4)
    train = Train(options, tmp_path / "run", start_from=Path("pretrained"))
    desk = Desk().play(Connect("mock", calibrations=tmp_path / "kept"), train, 2, Stop())
    assert not desk.of(ErrorReport)
    run = read_run(tmp_path / "run" / "run.h5")
    used = TrainingOptions.model_validate_json(run.options_json)
    layers = read_layers(pretrained_path()).options
    assert (used.image_size, used.layer_sets) == (layers.image_size, layers.layer_sets)
    assert used.online_steps == 1
    missing = Train(options, tmp_path / "other", start_from=tmp_path / "none.h5")
    desk = Desk().play(Connect("mock"), missing)
    assert "none.h5: no such layer file" in desk.of(ErrorReport)[0].message


def test_a_dmd_shows_what_it_is_sent_and_a_bench_without_one_says_so() -> None:
    desk = Desk().play(Connect("mock-paper"))
    shape = next(state.input_shape for state in desk.of(BenchState) if state.devices)
    assert min(shape) > 0
    field = np.ones(shape, np.float32)
    desk = Desk().play(Connect("mock-paper"), ShowInput(field, "all on"))
    assert desk.of(InputDisplayed) == [InputDisplayed("all on")] and not desk.of(ErrorReport)
    without = Desk().play(Connect("mock"), ShowInput(field, "all on"))
    assert "has no DMD" in without.of(ErrorReport)[0].message
