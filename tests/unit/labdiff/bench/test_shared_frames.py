"""Frames that a routine shares: of the same state of the bench, once, and not for long."""

from __future__ import annotations

from labdiff.bench.open import open_bench
from labdiff.bench.shared_frames import LONGEST_S, SharedFrames
from labdiff.calibrations.archived import measure_routines
from labdiff.config.bench import parse_bench
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from tests.support.mock_bench import laboratory_of
from tests.unit.labdiff.training.test_resume import BENCH

BEFORE = ("dark level", "coarse settling", "registration", "exposure")


def opened() -> CalibratedBench:
    config = parse_bench(BENCH, "small")
    return CalibratedBench(config, open_bench(config, 0))


def test_a_frame_is_handed_out_once() -> None:
    with opened().bench as bench:
        shared, frame = SharedFrames(), bench.camera.get_frame()
        shared.note(bench, "flat", [frame])
        assert shared.take(bench, "flat") == [frame]
        assert shared.take(bench, "flat") == []


def test_frames_of_another_state_are_not_shared() -> None:
    with opened().bench as bench:
        shared = SharedFrames()
        shared.note(bench, "flat", [bench.camera.get_frame()])
        assert shared.take(bench, "chequerboard") == []
        exposure_ms = bench.camera.exposure_ms
        bench.camera.exposure_ms = 2.0 * exposure_ms
        assert shared.take(bench, "flat") == []
        bench.camera.exposure_ms = exposure_ms
        power_mw = bench.laser.power_mw
        bench.laser.power_mw = 0.5 * power_mw
        assert shared.take(bench, "flat") == []
        bench.laser.power_mw = power_mw
        assert len(shared.take(bench, "flat")) == 1


def test_frames_from_long_ago_are_not_shared() -> None:
    with opened().bench as bench:
        shared = SharedFrames()
        shared.note(bench, "flat", [bench.camera.get_frame()])
        bench.clock.sleep_s(LONGEST_S + 1.0)
        assert shared.take(bench, "flat") == []


def test_the_camera_routine_uses_what_the_exposure_has_taken() -> None:
    frames = []
    for forget in (False, True):
        calibrated = opened()
        with calibrated.bench as bench:
            run(measure_routines(calibrated, BEFORE))
            if forget:
                calibrated.shared_frames = SharedFrames()
            camera = laboratory_of(bench).camera
            before = camera.requests
            found = run(measure_routines(calibrated, ("camera",)))["camera"]
            frames.append(camera.requests - before)
            assert found.verdict.level == "pass"
    assert frames[0] == frames[1] - 1
