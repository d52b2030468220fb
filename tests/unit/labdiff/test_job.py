from __future__ import annotations

import pytest

from labdiff.errors import JobStoppedError
from labdiff.events import Event, JobEnded, JobStarted, StageStarted
from labdiff.job import Job, recorded, run


def job(closed: list[bool], fail: bool = False) -> Job[int]:
    try:
        yield JobStarted("test", 2)
        if fail:
            raise RuntimeError("lamp broke")
        yield StageStarted("work", 1)
        return 7
    finally:
        closed.append(True)


def test_returns_the_result_and_says_completed() -> None:
    seen: list[Event] = []
    assert run(job([]), record=[seen.append]) == 7
    assert seen[-1] == JobEnded("completed", "")


def test_stopping_closes_the_job_and_says_stopped() -> None:
    seen: list[Event] = []
    closed: list[bool] = []
    with pytest.raises(JobStoppedError):
        run(job(closed), record=[seen.append], should_stop=lambda: len(seen) == 1)
    assert closed == [True]
    assert seen[-1] == JobEnded("stopped", "stopped by the user")


def test_failure_is_recorded_and_raised() -> None:
    seen: list[Event] = []
    with pytest.raises(RuntimeError, match="lamp broke"):
        run(job([], fail=True), record=[seen.append])
    assert seen[-1] == JobEnded("failed", "RuntimeError: lamp broke")


def test_a_failing_recorder_stops_the_job() -> None:
    closed: list[bool] = []

    def full_disk(event: Event) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(job(closed), record=[full_disk])
    assert closed == [True]


def test_a_failing_watcher_is_dropped() -> None:
    calls: list[Event] = []

    def bad(event: Event) -> None:
        calls.append(event)
        raise ValueError("plot broke")

    assert run(job([]), watch=[bad]) == 7
    assert len(calls) == 1


def test_a_job_within_a_job_has_a_recorder_of_its_own() -> None:
    inner: list[Event] = []
    outer: list[Event] = []

    def around() -> Job[int]:
        yield JobStarted("around", 1)
        return (yield from recorded(job([]), inner.append)) + 1

    assert run(around(), record=[outer.append]) == 8
    assert inner == [JobStarted("test", 2), StageStarted("work", 1), JobEnded("completed", "")]
    assert outer[1:3] == inner[:2]


def test_a_job_within_a_job_says_stopped_or_failed() -> None:
    inner: list[Event] = []
    closed: list[bool] = []
    with pytest.raises(JobStoppedError):
        run(recorded(job(closed), inner.append), should_stop=lambda: len(inner) == 2)
    assert inner[-1] == JobEnded("stopped", "stopped by the user")
    assert closed == [True]
    inner.clear()
    with pytest.raises(RuntimeError, match="lamp broke"):
        run(recorded(job([], fail=True), inner.append))
    assert inner[-1] == JobEnded("failed", "RuntimeError: lamp broke")
