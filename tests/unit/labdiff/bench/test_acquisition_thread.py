"""The thread that measures: order, errors, and an end within bounded time."""

from __future__ import annotations

import threading
from typing import Literal

import numpy as np
import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.protocols import ReadOut
from labdiff.bench.acquisition_thread import AcquisitionThread
from labdiff.bench.fault_log import REOPENED
from labdiff.bench.snapshot import BenchSnapshot
from labdiff.errors import JobStoppedError
from tests.support.small_bench import small_bench

Kind = Literal["slm_patch", "dmd"]
KINDS: tuple[Kind, ...] = ("slm_patch", "dmd")


def batches(kind: Kind, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    layers = 2 if kind == "slm_patch" else 3
    return [
        (rng.uniform(0.5, 1.0, (3, 16, 16)), rng.uniform(0.0, 1.0, (layers, 16, 16)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_gives_what_the_bench_gives(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = batches(kind, 4)
    with small_bench(kind) as (_, bench):
        expected = [bench.measure(*batch).intensity for batch in asked]
        ended_s = bench.clock.now_s()
    with small_bench(kind) as (_, bench):
        started_s = bench.clock.now_s()
        # A bench that can be put back meets each batch at the same moment, however early it was known.
        monkeypatch.setattr(bench, "state", BenchSnapshot)
        with AcquisitionThread(bench) as worker:
            pending = [worker.submit(*batch) for batch in asked]
            for waiting, wanted in zip(pending, expected, strict=True):
                np.testing.assert_array_equal(waiting.result().intensity, wanted)
        assert bench.clock.now_s() == ended_s
        paces = [waiting.pace for waiting in pending]
        assert sum(pace.elapsed_s for pace in paces) == pytest.approx(ended_s - started_s)
        for pace in paces:
            assert (pace.frames, pace.repeated) == (3, 0)
            assert 0.9 < pace.duty <= 1.0, "nobody waits for anybody on a virtual clock"
            assert pace.measuring_s == pytest.approx(pace.elapsed_s)
            assert pace.frames_per_s == pytest.approx(3 / pace.elapsed_s)


def test_the_next_batch_settles_while_the_last_frame_is_read_out() -> None:
    asked = batches("slm_patch", 3)
    with small_bench("slm_patch") as (lab, bench):
        expected = [bench.measure(*batch).intensity for batch in asked]
        before = lab.slm.state()["pattern"]
        with AcquisitionThread(bench) as worker:
            pending = [worker.submit(*batch) for batch in asked]
            seen = [waiting.result().intensity for waiting in pending]
        for intensity, wanted in zip(seen, expected, strict=True):
            np.testing.assert_allclose(intensity, wanted, rtol=1e-3, atol=1e-4)
        written = lab.slm.state()["pattern"] - before
        assert written == sum(len(inputs) for inputs, _ in asked), "nothing is written twice"
        assert bench.frames_repeated == 0
        # Between two frames of a batch, and between two batches: the same time.
        for pace in [waiting.pace for waiting in pending][1:]:
            assert pace.elapsed_s == pytest.approx(pace.declared_s, rel=0.02)


def test_what_was_written_ahead_is_written_again_once_somebody_else_wrote() -> None:
    (inputs, layers), _ = batches("slm_patch", 2)
    with small_bench("slm_patch") as (lab, bench):
        expected = bench.measure(inputs, layers).intensity
        panel = bench.layout.panel(np.concatenate([inputs[:1], layers]))
        prefetcher = bench.display.prefetcher
        prefetcher.prefetch(panel)
        bench.display.flatten()
        prefetcher.forget()
        np.testing.assert_allclose(bench.measure(inputs, layers).intensity, expected, rtol=1e-3)
        prefetcher.prefetch(panel)
        lab.slm.reopen()
        bench.fault_log.record("slm", REOPENED, "in a test")
        np.testing.assert_allclose(bench.measure(inputs, layers).intensity, expected, rtol=1e-3)


def test_a_bench_that_had_to_wait_for_its_batch_says_so() -> None:
    (first, second) = batches("slm_patch", 2)
    with small_bench("slm_patch") as (lab, bench), AcquisitionThread(bench) as worker:
        one = worker.submit(*first)
        assert one.pace.duty > 0.9
        lab.world.clock.sleep_s(one.pace.measuring_s)
        two = worker.submit(*second).pace
        assert two.elapsed_s == pytest.approx(2.0 * two.measuring_s)
        assert two.duty == pytest.approx(0.5 * one.pace.duty)


def test_what_is_changed_after_it_was_submitted_does_not_reach_the_bench() -> None:
    fields, layers = batches("slm_patch", 1)[0]
    with small_bench("slm_patch") as (_, bench):
        expected = bench.measure(fields, layers).intensity
    with small_bench("slm_patch") as (_, bench), AcquisitionThread(bench) as worker:
        pending = worker.submit(fields, layers)
        fields *= 0.0
        layers *= 0.0
        np.testing.assert_array_equal(pending.result().intensity, expected)


def test_an_error_reaches_the_caller_and_ends_what_was_submitted_behind_it() -> None:
    asked = batches("slm_patch", 3)
    with small_bench("slm_patch") as (lab, bench), AcquisitionThread(bench) as worker:
        lab.world.faults.add("unplugged", lab.camera.requests + 4)
        first, *others = [worker.submit(*batch) for batch in asked]
        assert first.result().intensity.shape == (3, 16, 16)
        for pending in others:
            with pytest.raises(DeviceDisconnectedError, match="check cable"):
                pending.result()
        requests = lab.camera.requests
        with pytest.raises(DeviceDisconnectedError):
            worker.submit(*asked[0]).result()
        assert lab.camera.requests == requests, "nothing is measured after an error"


def test_an_error_of_our_own_does_not_leave_the_caller_waiting() -> None:
    with small_bench("dmd") as (_, bench), AcquisitionThread(bench) as worker:
        pending = worker.submit(np.ones((2, 15, 16)), np.ones((3, 16, 16)))
        with pytest.raises(DeviceValueError, match="shape"):
            pending.result()


def test_a_closed_worker_takes_no_batch() -> None:
    with small_bench("dmd") as (_, bench):
        worker = AcquisitionThread(bench)
        pending = worker.submit(*batches("dmd", 1)[0])
        worker.close()
        worker.close()
        assert pending.result().intensity.shape == (3, 16, 16), "the batch in hand was let finish"
        with pytest.raises(DeviceStateError, match="is closed"):
            worker.submit(*batches("dmd", 1)[0])


@pytest.mark.parametrize("hangs", [False, True])
def test_closing_cuts_short_what_does_not_end(hangs: bool) -> None:
    """A frame that takes for ever in the middle of a batch: of the computer's time, not of the bench's."""
    fields, layers = batches("slm_patch", 1)[0]
    with small_bench("slm_patch") as (lab, bench):
        worker = AcquisitionThread(bench, patience_s=0.05 if hangs else 1.0)
        reached, go_on = threading.Event(), threading.Event()
        expose = lab.camera.expose

        def slow() -> ReadOut:
            reached.set()
            (go_on if hangs else worker.hurry).wait(30.0)
            return expose()

        lab.camera.expose = slow  # type: ignore[method-assign]
        requests = lab.camera.requests
        pending, behind = worker.submit(fields, layers), worker.submit(fields, layers)
        assert reached.wait(30.0)
        worker.close()
        if hangs:
            with pytest.raises(DeviceTimeoutError, match="did not come to an end"):
                pending.result()
            go_on.set()
            return
        for waiting in (pending, behind):
            with pytest.raises(JobStoppedError, match="cut short"):
                waiting.result()
        assert lab.camera.requests == requests + 1, "the frame in hand was let finish"
