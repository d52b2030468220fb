"""No frame is used that is not proven to be of its pattern; and how long a batch takes."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pytest

from drivers.errors import DeviceTimeoutError, TooMuchLightError
from labdiff.bench.acquisition import FETCHED_TOGETHER
from labdiff.bench.bench import Bench
from labdiff.bench.frame_validation import TRIES, FrameValidator, RejectReason
from labdiff.errors import JobStoppedError
from mock_hardware.fault_script import FOR_EVER, Fault
from mock_hardware.laboratory import MockLaboratory
from tests.support.small_bench import small_bench

Kind = Literal["slm_patch", "dmd"]
BATCH = 6
CAME_OF: dict[Fault, RejectReason] = {
    "dropped": "dropped",
    "timeout": "dropped",
    "duplicated": "duplicated",
    "late": "dropped",
    "torn": "torn",
    "saturated": "saturated",
}
both = pytest.mark.parametrize("kind", get_args(Kind))


def batch(kind: Kind) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    layers = 2 if kind == "slm_patch" else 3
    return rng.uniform(0.3, 1.0, (BATCH, 16, 16)), rng.uniform(0.0, 1.0, (layers, 16, 16))


def answer(kind: Kind, *faults: tuple[Fault, int]) -> tuple[npt.NDArray[np.float32], Bench]:
    """faults: kind and the frame of the batch that it meets, counted from 1."""
    with small_bench(kind) as (lab, bench):
        for fault, frame in faults:
            lab.world.faults.add(fault, lab.camera.requests + frame)
        return bench.measure(*batch(kind)).intensity, bench


@both
@pytest.mark.parametrize("frame", [1, 3, BATCH])
@pytest.mark.parametrize("fault", CAME_OF)
def test_a_flawed_frame_is_counted_taken_again_and_not_used(
    kind: Kind, fault: Fault, frame: int
) -> None:
    right, _ = answer(kind)
    got, bench = answer(kind, (fault, frame))
    np.testing.assert_array_equal(got, right)
    assert bench.frames_rejected[CAME_OF[fault]] >= 1
    # A frame that comes late is met again by who asks next; a burst begins with an empty queue.
    met_again = 1 if fault == "late" and kind == "slm_patch" else 0
    assert bench.frames_rejected["late"] == met_again
    assert bench.frames_repeated == 1 + met_again


@both
def test_many_flaws_at_once(kind: Kind) -> None:
    right, _ = answer(kind)
    faults: list[tuple[Fault, int]] = [("dropped", 1), ("late", 3), ("saturated", 5), ("torn", 6)]
    got, bench = answer(kind, *faults, ("duplicated", 8))
    np.testing.assert_array_equal(got, right)
    assert bench.frames_repeated >= 4


@pytest.mark.parametrize("frozen", [1, 3])
def test_a_pattern_that_the_slm_did_not_show_is_shown_again(frozen: int) -> None:
    right, _ = answer("slm_patch")
    got, bench = answer("slm_patch", ("slm_frozen", frozen))
    np.testing.assert_array_equal(got, right)
    assert bench.frames_rejected == {"stale": 1}


@both
def test_light_that_is_too_much_again_and_again_says_what_to_do(kind: Kind) -> None:
    with small_bench(kind) as (lab, bench):
        lab.world.faults.add("saturated", lab.camera.requests + 2, FOR_EVER)
        with pytest.raises(
            TooMuchLightError, match=r"saturated.* 4 times: set an exposure shorter than 1 ms"
        ):
            bench.measure(*batch(kind))
        assert bench.frames_rejected == {"saturated": TRIES * (BATCH - 1)}


@both
def test_a_dead_camera_is_not_asked_for_every_frame_of_a_batch(kind: Kind) -> None:
    with small_bench(kind) as (lab, bench):
        before = lab.camera.requests
        lab.world.faults.add("timeout", before + 2, FOR_EVER)
        with pytest.raises(DeviceTimeoutError, match="check trigger, cable and load"):
            bench.measure(*batch(kind))
        assert lab.camera.requests == before + 1 + TRIES
        assert lab.camera.trigger == "software", "put back as it was"


def test_a_camera_that_names_no_patterns_is_proven_by_number_and_time() -> None:
    """Late and duplicated frames; what a frame shows of torn patterns cannot be known."""
    with small_bench("slm_patch") as (_, bench):
        right = bench.measure(*batch("slm_patch")).intensity
    with small_bench("slm_patch") as (lab, bench):
        bench._acquisition.validator = FrameValidator("camera", False, bench.fault_log)
        lab.world.faults.add("late", lab.camera.requests + 2)
        lab.world.faults.add("duplicated", lab.camera.requests + 5)
        got = bench.measure(*batch("slm_patch")).intensity
    np.testing.assert_array_equal(got, right)
    assert bench.frames_rejected == {"dropped": 1, "late": 1, "duplicated": 1}


def took_ms(lab: MockLaboratory, bench: Bench, kind: Kind) -> float:
    bench.most_saturated = 1.0
    started_s = lab.world.clock.now_s()
    bench.measure(*batch(kind))
    return 1e3 * (lab.world.clock.now_s() - started_s)


@pytest.mark.parametrize("exposure_ms", [0.3, 4.0])
def test_a_pattern_settles_while_the_frame_before_is_read_out(exposure_ms: float) -> None:
    with small_bench("slm_patch") as (lab, bench):
        lab.camera.exposure_ms = exposure_ms
        camera = lab.camera.timing
        each_ms = lab.slm.timing.total_ms + camera.latency_ms + exposure_ms
        assert bench.declared.frame_ms == pytest.approx(each_ms)
        assert took_ms(lab, bench, "slm_patch") == pytest.approx(
            BATCH * each_ms + camera.readout_ms
        )


@pytest.mark.parametrize(("exposure_ms", "each_ms"), [(0.3, 1e3 / 522), (4.0, 4.0 + 0.0712)])
def test_a_burst_reaches_the_rate_of_the_camera(exposure_ms: float, each_ms: float) -> None:
    with small_bench("dmd") as (lab, bench):
        lab.camera.exposure_ms = exposure_ms
        assert lab.dmd is not None
        assert bench.declared.frame_ms == pytest.approx(each_ms)
        first_ms = lab.slm.timing.total_ms + lab.dmd.timing.total_ms + lab.camera.timing.total_ms
        expected_ms = first_ms + (BATCH - 1) * each_ms
        assert took_ms(lab, bench, "dmd") == pytest.approx(expected_ms)
        assert bench.frames_repeated == 0


def test_without_a_trigger_input_the_frames_are_taken_one_by_one() -> None:
    with small_bench("dmd") as (_, bench):
        right = bench.measure(*batch("dmd")).intensity
    with small_bench("dmd") as (lab, bench), pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(lab.camera), "has_trigger_input", False)
        got = bench.measure(*batch("dmd")).intensity
        assert lab.dmd is not None
        camera = lab.camera.timing
        each_ms = camera.readout_ms + camera.exposed_ms
        assert bench.declared.frame_ms == pytest.approx(each_ms)
        expected_ms = bench.declared.batch_ms(BATCH) + lab.dmd.timing.total_ms
        assert took_ms(lab, bench, "dmd") == pytest.approx(expected_ms)
    np.testing.assert_array_equal(got, right)


def test_a_long_burst_that_is_cut_short_ends_at_once() -> None:
    """Frames are fetched some at a time; nothing is fetched after that."""
    rng = np.random.default_rng(0)
    fields, layers = rng.uniform(0.3, 1.0, (3 * FETCHED_TOGETHER, 16, 16)), batch("dmd")[1]
    with small_bench("dmd") as (lab, bench):
        right = bench.measure(fields, layers).intensity
        before = lab.camera.requests
        with pytest.raises(JobStoppedError, match="cut short"):
            bench.acquire(fields, layers, lambda: lab.camera.requests - before >= FETCHED_TOGETHER)
        assert lab.camera.requests == before + FETCHED_TOGETHER
        lab.world.faults.add("torn", lab.camera.requests + FETCHED_TOGETHER + 3)
        np.testing.assert_array_equal(bench.measure(fields, layers).intensity, right)
        assert bench.frames_rejected == {"torn": 1}
