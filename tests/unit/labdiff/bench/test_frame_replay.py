"""A measurement that was cut short goes on with the frame it was cut at."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from drivers.types import CountArray
from labdiff.bench.bench import Bench
from labdiff.bench.frame_log import FrameLog
from labdiff.bench.frame_replay import RoutineRecording
from mock_hardware.laboratory import MockLaboratory
from tests.support.small_bench import small_bench

STEPS = 6


class Killed(Exception):
    """The power goes."""


def routine(bench: Bench, killed_at: int | None = None) -> list[CountArray]:
    """Patterns, exposures, a table and dark frames, as calibrations ask for them."""
    frames = []
    for step in range(STEPS):
        if step == killed_at:
            raise Killed
        bench.camera.exposure_ms = 1.0 + step
        bench.laser.emission = step != 2
        if step == 3:
            bench.slm.set_lut(np.linspace(0.0, 7.0, 256))
        if step % 2:
            bench.slm.set_grey(np.full(bench.slm.shape, 40.0 * step))
        else:
            bench.show(np.full((bench.planes, 16, 16), 0.5 * step, np.float32))
        bench.settle()
        frames.append(np.array(bench.camera.get_frame().pixels))
    return frames


def begun(bench: Bench, path: Path) -> AbstractContextManager[RoutineRecording]:
    return bench.recording(FrameLog(path))


@pytest.mark.parametrize("killed_at", [1, 3, 4])
def test_what_was_measured_is_not_measured_again(tmp_path: Path, killed_at: int) -> None:
    path = tmp_path / "frames"
    with small_bench("slm_patch") as (lab, bench), pytest.raises(Killed), begun(bench, path):
        routine(bench, killed_at)
    with small_bench("slm_patch") as (lab, bench), begun(bench, path) as recording:
        before = lab.camera.requests
        frames = routine(bench)
        assert lab.camera.requests - before == STEPS - killed_at
        assert recording.from_log == killed_at
        assert recording.frames == STEPS
        recording.finish()
        assert not path.exists()
        ended_s = lab.world.clock.now_s()
    with small_bench("slm_patch") as (lab, bench):
        wanted = routine(bench)
        # Virtual time goes on where it was; the SLM has to settle once more.
        assert 0.0 < ended_s - lab.world.clock.now_s() < 2e-3 * lab.slm.timing.total_ms
    for got, want in zip(frames, wanted, strict=True):
        # The mock's noise goes on where the camera's counter is: means agree, not counts.
        assert abs(float(got.mean()) - float(want.mean())) < 0.02 * want.mean() + 1.0


@pytest.mark.parametrize(("kind", "layers"), [("dmd", 3), ("slm_patch", 2)])
def test_frames_of_a_resumed_batch_still_name_their_pattern(
    tmp_path: Path, kind: Literal["dmd", "slm_patch"], layers: int
) -> None:
    path, flat = tmp_path / "frames", np.ones((layers, 16, 16), np.float32)
    fields = np.linspace(0.5, 1.0, 4)[:, None, None] * np.ones((4, 16, 16))
    with small_bench(kind) as (_, bench), begun(bench, path):
        whole = bench.measure(fields, flat).intensity
    records = list(FrameLog(path).records())
    assert [record.of_its_pattern for record in records] == [True] * 4
    assert [record.new for record in records] == [True] * 4
    assert len({record.request for record in records}) == 4
    with small_bench(kind) as (lab, bench), begun(bench, path):
        before = lab.camera.requests
        again = bench.measure(fields, flat).intensity
        assert lab.camera.requests == before
        assert bench.frames_repeated == 0
    np.testing.assert_array_equal(again, whole)


def test_what_was_recorded_before_on_an_open_bench_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with small_bench("slm_patch") as (_, bench):
        for _ in range(3):
            with begun(bench, path) as recording:
                routine(bench)
                recorded = [record.request for record in recording.log.records()]
                assert len(recorded) == recording.frames == STEPS
                recording.finish()
            bench.show(np.full((bench.planes, 16, 16), 0.7, np.float32))
    with small_bench("slm_patch") as (_, bench), begun(bench, path) as recording:
        bench.slm.set_lut(np.linspace(0.0, 7.0, 256))
        routine(bench)
        assert [record.request for record in recording.log.records()] == recorded


def test_a_routine_that_is_left_while_the_log_answers_leaves_the_bench_to_its_devices(
    tmp_path: Path,
) -> None:
    path = tmp_path / "frames"
    with small_bench("slm_patch") as (_, bench), begun(bench, path):
        routine(bench)
    with small_bench("slm_patch") as (lab, bench):
        with pytest.raises(Killed), begun(bench, path) as recording:
            routine(bench, 4)
        assert recording.from_log == 4
        bench.most_saturated = 1.0
        bench.show(np.full((bench.planes, 16, 16), 0.7, np.float32))
        assert bench.slm.reported_pattern == lab.slm.reported_pattern
        before = lab.camera.requests
        frame = bench.camera.get_frame()
        assert frame.sequence == lab.camera.requests == before + 1
        assert frame.pattern_id == bench.slm.reported_pattern
        bench.measure(np.ones((2, 16, 16)), np.zeros((2, 16, 16), np.float32))
    assert len(list(FrameLog(path).records())) == STEPS


def test_a_stale_frame_is_recognised_in_the_log_too(tmp_path: Path) -> None:
    fields, layers = np.ones((2, 16, 16)), np.zeros((3, 16, 16), np.float32)

    def measured(lab: MockLaboratory, bench: Bench) -> int:
        with begun(bench, tmp_path / "frames"):
            bench.measure(fields, layers)
        return bench.frames_repeated

    with small_bench("dmd") as (lab, bench):
        lab.world.faults.add("duplicated", lab.camera.requests + 2)
        assert measured(lab, bench) == 1
    with small_bench("dmd") as (lab, bench):
        before = lab.camera.requests
        assert measured(lab, bench) == 1
        assert lab.camera.requests == before


def test_delays_are_those_that_were_measured(tmp_path: Path) -> None:
    def delays(bench: Bench, steps: int) -> list[float]:
        found = []
        for step in range(steps):
            bench.slm.set_phase(np.full(bench.slm.shape, 0.3 * step, np.float32))
            asked_s = bench.clock.now_s()
            bench.clock.sleep_s(1e-3 * (step + 1))
            found.append(bench.camera.get_frame().timestamp_s - asked_s)
        return found

    with small_bench("slm_patch") as (_, bench), begun(bench, tmp_path / "frames"):
        first = delays(bench, 4)
    with small_bench("slm_patch") as (_, bench), begun(bench, tmp_path / "frames"):
        again = delays(bench, 6)
    assert again[:4] == first
    np.testing.assert_allclose(np.diff(again), 1e-3, atol=1e-9)


def test_another_request_drops_the_rest_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with small_bench("slm_patch") as (_, bench), begun(bench, path):
        routine(bench)
    with small_bench("slm_patch") as (lab, bench), begun(bench, path) as recording:
        before = lab.camera.requests
        bench.camera.exposure_ms = 1.0
        bench.show(np.full((bench.planes, 16, 16), 0.0, np.float32))
        bench.camera.get_frame()
        assert lab.camera.requests == before
        bench.camera.exposure_ms = 17.0
        bench.camera.get_frame()
        assert lab.camera.requests == before + 1
        assert (recording.frames, recording.from_log) == (2, 1)


def test_a_routine_that_failed_is_measured_anew(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with small_bench("slm_patch") as (_, bench), begun(bench, path):
        routine(bench)
    with small_bench("slm_patch") as (_, bench):
        with begun(bench, path) as recording:
            bench.camera.exposure_ms = 1.0
            recording.drop()
        assert not path.exists()


def test_a_record_that_was_cut_short_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with small_bench("slm_patch") as (_, bench), pytest.raises(Killed), begun(bench, path):
        routine(bench, 3)
    whole = path.read_bytes()
    records = list(FrameLog(path).records())
    assert len(records) == 3
    for length in (len(whole) - 1, len(whole) - 700, len(whole) - len(whole) // 3 + 5):
        path.write_bytes(whole[:length])
        log = FrameLog(path)
        assert len(list(log.records())) == 2
        log.append(records[2])
        assert path.read_bytes() == whole
