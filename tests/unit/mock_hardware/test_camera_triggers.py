"""What starts an exposure of the camera: software, free run, hardware, sequences."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.errors import (
    DeviceTimeoutError,
)
from drivers.types import Roi
from mock_hardware.camera import TIMEOUT_MS
from tests.unit.mock_hardware.camera_bench import (
    AT_ONCE,
    FLAT,
    GEOMETRY,
    LARGEST,
    REFRESH_S,
    STRIPES,
    counts,
    dmd_laboratory,
    free_running,
    laboratory,
    perfect,
    settled_frames,
    show,
    wait_until,
)

# Software trigger


def test_a_software_trigger_exposes_from_now_and_waits_for_the_frame() -> None:
    lab = laboratory()
    lab.camera.exposure_ms = 3.0
    lab.world.clock.sleep_s(1.234)
    asked_s = lab.world.clock.now_s()
    timing, frame = lab.camera.timing, lab.camera.get_frame()
    assert frame.timestamp_s == pytest.approx(asked_s + timing.latency_ms * 1e-3)
    assert lab.world.clock.now_s() == pytest.approx(asked_s + timing.total_ms * 1e-3)
    assert frame.exposure_ms == 3.0


def test_the_declared_time_is_trigger_exposure_and_read_out() -> None:
    lab = laboratory(perfect(camera={"trigger_us": 50.0, "readout_ms": 2.5}))
    lab.camera.exposure_ms = 4.0
    assert lab.camera.timing.latency_ms == pytest.approx(0.05)
    assert lab.camera.timing.duration_ms == pytest.approx(6.5)


def test_a_software_triggered_frame_is_never_stale() -> None:
    lab = laboratory()
    for phase_rad in (STRIPES, FLAT, STRIPES):
        pattern = show(lab, phase_rad)
        lab.world.clock.sleep_s(0.5)
        asked_s = lab.world.clock.now_s()
        for frame in lab.camera.get_frames(3):
            assert frame.timestamp_s >= asked_s
            assert frame.pattern_id == pattern


def test_frames_are_counted_without_a_gap() -> None:
    frames = laboratory().camera.get_frames(5)
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("frames_per_s", [20.0, 1e6])
def test_frames_come_no_faster_than_the_frame_rate_and_the_read_out_allow(
    frames_per_s: float,
) -> None:
    lab = laboratory(perfect(camera={"frames_per_s": frames_per_s}))
    starts_s = [frame.timestamp_s for frame in lab.camera.get_frames(4)]
    period_s = max(1.0 / frames_per_s, lab.camera.timing.total_ms * 1e-3)
    np.testing.assert_allclose(np.diff(starts_s), period_s, rtol=1e-6)


def test_the_light_may_change_while_a_frame_is_read_out() -> None:
    lab = laboratory()
    lab.camera.exposure_ms = 3.0
    flat = lab.camera.get_frame()
    asked_s = lab.world.clock.now_s()
    read = lab.camera.expose()
    timing = lab.camera.timing
    assert lab.world.clock.now_s() == pytest.approx(asked_s + timing.exposed_ms * 1e-3)
    lab.slm.set_phase(STRIPES)
    lab.laser.power_mw = 0.0
    frame = read()
    assert lab.world.clock.now_s() == pytest.approx(asked_s + timing.total_ms * 1e-3)
    assert frame.pattern_id == 0 and np.array_equal(frame.pixels, flat.pixels)


@pytest.mark.parametrize(
    ("overlap", "exposure_ms", "period_ms"),
    [(True, 0.5, 1e3 / 522), (True, 3.0, 3.0), (False, 0.5, 2.4), (False, 3.0, 4.9)],
)
def test_exposures_come_as_fast_as_read_out_exposure_and_frame_rate_allow(
    overlap: bool, exposure_ms: float, period_ms: float
) -> None:
    lab = laboratory(perfect(camera={"overlap": overlap}))
    lab.camera.exposure_ms = exposure_ms
    assert lab.camera.timing.period_ms == pytest.approx(period_ms)
    lab.camera.trigger = "free_run"
    starts_s = [frame.timestamp_s for frame in lab.camera.get_frames(5)]
    np.testing.assert_allclose(np.diff(starts_s), period_ms * 1e-3, rtol=1e-6)


# Free run


def test_free_run_hands_out_frames_that_are_older_than_the_pattern() -> None:
    lab = free_running(queue=6)
    lab.camera.exposure_ms = 20.0
    lab.world.clock.sleep_s(1.0)
    shown_s = lab.world.clock.now_s()
    pattern = show(lab, STRIPES)
    frames = lab.camera.get_frames(8)
    flat, stripes = settled_frames(perfect())
    old = [frame for frame in frames if frame.timestamp_s < shown_s]
    assert frames[0] in old
    assert frames[0].pattern_id == 0 and frames[-1].pattern_id == pattern
    named = [frame.pattern_id for frame in frames if frame.pattern_id is not None]
    assert named == sorted(named)
    # The settled frames were taken in 1 ms instead of 20, and are rounded.
    scale = frames[0].exposure_ms / 1.0
    assert np.abs(np.minimum(scale * flat, LARGEST) - counts(frames[0])).max() <= 0.5 * scale + 0.5
    assert (
        np.abs(np.minimum(scale * stripes, LARGEST) - counts(frames[-1])).max() <= 0.5 * scale + 0.5
    )


@pytest.mark.parametrize("queue", [1, 4, 9])
def test_the_driver_keeps_the_newest_few_frames(queue: int) -> None:
    lab = free_running(queue=queue)
    lab.world.clock.sleep_s(3.0)
    now_s = lab.world.clock.now_s()
    period_s = lab.camera.timing.period_ms * 1e-3
    starts_s = [lab.camera.get_frame().timestamp_s for _ in range(queue + 2)]
    complete = [start_s + lab.camera.exposure_ms * 1e-3 <= now_s for start_s in starts_s]
    assert complete == [True] * queue + [False] * 2
    assert starts_s[queue - 1] > now_s - 2 * period_s, "the newest is kept"
    np.testing.assert_allclose(np.diff(starts_s), period_s, rtol=1e-6)


def test_the_counter_of_a_free_run_counts_the_frames_that_nobody_fetched() -> None:
    lab = free_running(queue=3)
    start_s = lab.world.clock.now_s()
    period_s = lab.camera.timing.period_ms * 1e-3
    for pause_s in (0.0, 0.005, 1.0, 0.02, 0.3):
        lab.world.clock.sleep_s(pause_s)
        for frame in lab.camera.get_frames(4):
            expected_s = start_s + (frame.sequence - 1) * period_s
            assert frame.timestamp_s == pytest.approx(expected_s, abs=1e-9)


def test_what_is_changed_in_free_run_holds_for_the_frames_after_it() -> None:
    lab = free_running()
    lab.world.clock.sleep_s(1.0)
    lab.camera.exposure_ms = 5.0
    lab.camera.roi = Roi(8, 8, 16, 16)
    frames = lab.camera.get_frames(5)
    assert [frame.exposure_ms for frame in frames] == [1.0] * 4 + [5.0]
    assert [frame.pixels.shape for frame in frames] == [GEOMETRY.camera_shape] * 4 + [(16, 16)]


def test_frames_queued_before_the_laser_went_off_still_show_light() -> None:
    lab = free_running(queue=4)
    lab.world.clock.sleep_s(1.0)
    lab.laser.emission = False
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    lit = [bool(frame.pixels.any()) for frame in lab.camera.get_frames(6)]
    assert lit[0] and not lit[-1]
    assert lit == sorted(lit, reverse=True)


def test_another_trigger_empties_the_queue() -> None:
    lab = free_running()
    lab.world.clock.sleep_s(1.0)
    lab.camera.trigger = "software"
    asked_s = lab.world.clock.now_s()
    assert lab.camera.get_frame().timestamp_s >= asked_s


# Hardware trigger


def test_a_hardware_trigger_gives_a_frame_for_each_pattern_in_their_order() -> None:
    lab, dmd = dmd_laboratory(queue=10)
    levels = (0.2, 0.9, 0.5, 0.7)
    patterns = []
    for level in levels:
        patterns.append(dmd.show(np.full(dmd.shape, level)))
        lab.world.clock.sleep_s(0.01)
    frames = lab.camera.get_frames(len(levels))
    assert [frame.pattern_id for frame in frames] == patterns
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4]
    brightness = [counts(frame).sum() for frame in frames]
    assert np.argsort(brightness).tolist() == np.argsort(levels).tolist()


def test_a_hardware_triggered_exposure_starts_the_triggers_delay_after_the_mirrors_stand() -> None:
    lab, dmd = dmd_laboratory(trigger_us=30.0)
    stands_s = lab.world.clock.now_s() + dmd.timing.total_ms * 1e-3
    dmd.show(np.ones(dmd.shape))
    assert lab.camera.get_frame().timestamp_s == pytest.approx(stands_s + 30e-6)


def test_a_frame_on_its_way_is_waited_for_no_longer_than_its_exposure_and_read_out() -> None:
    lab, dmd = dmd_laboratory(readout_ms=2.5)
    lab.camera.exposure_ms = 7.0
    dmd.show(np.ones(dmd.shape))
    read = lab.camera.expose()
    exposed_s = lab.world.clock.now_s()
    frame = read()
    assert exposed_s == pytest.approx(frame.timestamp_s + 7e-3, abs=1e-6)
    assert lab.world.clock.now_s() == pytest.approx(exposed_s + 2.5e-3, abs=1e-6)


def test_an_slm_triggers_at_its_refresh() -> None:
    lab = laboratory(perfect(slm=AT_ONCE))
    lab.camera.trigger = "hardware"
    wait_until(lab, 2.3 * REFRESH_S)
    pattern = lab.slm.set_phase(STRIPES)
    frame = lab.camera.get_frame()
    assert frame.timestamp_s == pytest.approx(3 * REFRESH_S + lab.camera.timing.latency_ms * 1e-3)
    assert frame.pattern_id == pattern


def test_a_trigger_that_meets_a_busy_camera_is_lost_and_leaves_a_gap() -> None:
    lab, dmd = dmd_laboratory(overlap=False)
    lab.camera.exposure_ms = 5.0
    first = dmd.show(np.full(dmd.shape, 0.5))
    lab.world.clock.sleep_s(5.5e-3)  # the exposure is over, the read-out is not
    dmd.show(np.full(dmd.shape, 0.6))
    lab.world.clock.sleep_s(0.05)
    third = dmd.show(np.full(dmd.shape, 0.7))
    lab.world.clock.sleep_s(0.05)
    frames = lab.camera.get_frames(2)
    assert [frame.pattern_id for frame in frames] == [first, third]
    assert [frame.sequence for frame in frames] == [1, 3]
    with pytest.raises(DeviceTimeoutError):
        lab.camera.get_frame()


def test_a_pattern_that_comes_during_an_exposure_leaves_its_frame_without_a_name() -> None:
    lab, dmd = dmd_laboratory()
    lab.camera.exposure_ms = 5.0
    dmd.show(np.full(dmd.shape, 0.5))
    lab.world.clock.sleep_s(2e-3)
    dmd.show(np.full(dmd.shape, 0.6))
    assert lab.camera.get_frame().pattern_id is None


def test_without_a_trigger_there_is_no_frame_within_the_time_out() -> None:
    lab, dmd = dmd_laboratory()
    asked_s = lab.world.clock.now_s()
    with pytest.raises(DeviceTimeoutError, match="check trigger"):
        lab.camera.get_frame()
    assert lab.world.clock.now_s() == pytest.approx(asked_s + TIMEOUT_MS * 1e-3)
    pattern = dmd.show(np.ones(dmd.shape))
    assert lab.camera.get_frame().pattern_id == pattern


def test_triggers_are_ignored_by_a_camera_that_does_not_wait_for_them() -> None:
    lab, dmd = dmd_laboratory()
    lab.camera.trigger = "software"
    dmd.show(np.ones(dmd.shape))
    lab.camera.trigger = "hardware"
    with pytest.raises(DeviceTimeoutError):
        lab.camera.get_frame()


def test_the_queue_of_triggered_frames_keeps_the_newest() -> None:
    lab, dmd = dmd_laboratory(queue=2)
    patterns = []
    for _ in range(5):
        patterns.append(dmd.show(np.ones(dmd.shape)))
        lab.world.clock.sleep_s(0.01)
    assert [frame.pattern_id for frame in lab.camera.get_frames(2)] == patterns[-2:]
    with pytest.raises(DeviceTimeoutError):
        lab.camera.get_frame()


# A sequence that triggers


@pytest.mark.parametrize("exposure_ms", [0.5, 1.8, 6.0])
def test_a_sequence_exposes_each_of_its_fields_once(exposure_ms: float) -> None:
    lab, dmd = dmd_laboratory(queue=1)
    lab.camera.trigger = "software"
    lab.camera.exposure_ms = exposure_ms
    camera = lab.camera.timing
    levels = np.array([0.2, 0.9, 0.5, 0.7, 0.1, 0.6])
    before = lab.camera.get_frame()
    with lab.camera.triggered(len(levels)) as read:
        started_s = lab.world.clock.now_s()
        period_ms = max(camera.period_ms, dmd.timing.total_ms + camera.exposed_ms)
        patterns = dmd.show_sequence(levels[:, None, None] * np.ones(dmd.shape), period_ms)
        answers = [read() for _ in levels]
    assert [number for number, _ in answers] == list(range(len(levels)))
    frames = [frame for _, frame in answers]
    assert [frame.pattern_id for frame in frames] == patterns
    assert frames[0].sequence == before.sequence + 1
    brightness = [counts(frame).sum() for frame in frames]
    assert np.argsort(brightness).tolist() == np.argsort(levels).tolist()
    first_ms = dmd.timing.total_ms + camera.total_ms
    took_ms = (lab.world.clock.now_s() - started_s) * 1e3
    assert took_ms == pytest.approx(first_ms + (len(levels) - 1) * period_ms)
    assert lab.camera.trigger == "software"


def test_a_sequence_that_is_too_fast_for_the_camera_loses_triggers_and_their_numbers_say_which() -> (
    None
):
    lab, dmd = dmd_laboratory()
    fields = np.ones((6, *dmd.shape))
    with lab.camera.triggered(6) as read:
        patterns = dmd.show_sequence(fields, 0.7 * lab.camera.timing.period_ms)
        answers = [read() for _ in range(3)]
        with pytest.raises(DeviceTimeoutError):
            read()
    assert [number for number, _ in answers] == [0, 2, 4]
    assert [frame.pattern_id for _, frame in answers] == [patterns[0], patterns[2], patterns[4]]
