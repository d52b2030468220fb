"""A lease that ends and begins again: what was meanwhile, what was lost, what could not be made safe."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from drivers.errors import DeviceTimeoutError
from labdiff.cli.bench import status_line
from labdiff.errors import JobStoppedError
from labdiff.remote import lease
from labdiff.remote.lease import Lease
from labdiff.remote.messages import BenchChangedError, ConnectionLostError, LeaseLostError
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.served_bench import LEASE_S
from tests.support.served_bench import Wire, config_of, remote


@pytest.fixture(autouse=True)
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say themselves when the owner is heard."""
    monkeypatch.setattr(lease, "HEARTBEAT_S", 1e6)


def test_a_bench_that_another_run_had_meanwhile_is_not_used_as_if_it_were_set_as_before() -> None:
    """Its exposure may be another one: frames that look right would be wrong."""
    with remote(patience_s=1e6) as (lab, served, _, _, first):
        first.make_safe()
        first.switch_on()
        first.make_safe()
        second = RemoteBench(config_of(served._bench), served.status(), Lease(Wire(served)))
        second.camera.exposure_ms = 9.0
        second.close()
        for attach in (
            first.switch_on,
            lambda: first.lease.attach_again(LeaseLostError("cut"), lambda: False),
        ):
            with pytest.raises(BenchChangedError, match="another run used it meanwhile"):
                attach()
            assert not lab.laser.emission and served.status().owner is None


@pytest.mark.parametrize("heard", [False, True])
def test_a_call_whose_answer_was_lost_is_no_other_run(heard: bool) -> None:
    with remote(patience_s=1e6) as (lab, served, now_s, wire, far):
        far.make_safe()
        real = wire.call

        def loses(what: str, *arguments: Any, **more: Any) -> Any:
            if what == "switch_on":
                if heard:
                    real(what, *arguments, **more)
                wire.call = real
                wire.cut = True
                raise ConnectionLostError("cut")
            return real(what, *arguments, **more)

        def time_passes(_: float) -> None:
            now_s.now_s += LEASE_S
            wire.cut = False
            served.check_owner()

        wire.call, far.lease.sleep_s = loses, time_passes
        far.lease.attach_again(LeaseLostError("cut"), lambda: False)
        assert far.lit and lab.laser.emission


def test_a_lease_without_use_in_between_disturbs_nothing() -> None:
    with remote() as (_, served, _, _, far):
        far.make_safe()
        served.call("detach", served.call("attach", "only looks").token)
        far.switch_on()
        assert far.lit


@pytest.mark.parametrize("before", ["", ("",), (" ", None), None, 7, ("ü",), ("a" * 10**6,)])
def test_a_wrong_token_of_a_lease_before_is_none(before: Any) -> None:
    with remote() as (_, served, _, _, far):
        far.make_safe()
        assert served.call("attach", "somebody", before).undisturbed is False


def test_a_bench_that_could_not_be_made_safe_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with remote() as (_, served, now_s, _, far):
        safety = served._bench._safety
        real, tries = safety._flatten, []

        def fails() -> None:
            tries.append(1)
            if len(tries) < 3:
                raise DeviceTimeoutError("SLM: no answer")
            real()

        safety._flatten = fails
        far.make_safe()
        assert far.left_unsafe == ["could not flatten the SLM: SLM: no answer"]
        assert "NOT at rest: laser off; could not flatten" in status_line(served.status())
        for _ in range(60):
            now_s.now_s += 0.1
            served.check_owner()
        assert len(tries) == 3, "once in two seconds"
        assert status_line(served.status()) == "free, at rest: laser off, SLM flat"
        assert "the bench is safe now" in caplog.text


def test_heartbeats_outlast_one_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.001)
    heard = threading.Event()

    class Flaky:
        tries = 0

        def send(self, what: str, *arguments: Any) -> None:
            self.tries += 1
            if self.tries < 3:
                raise RuntimeError("Ray is not there")
            heard.set()

    beating = Lease(Flaky())
    beating.token = "a token"
    assert heard.wait(60.0)
    beating.end()


def test_a_bench_that_is_held_dark_here_is_lit_by_no_lease() -> None:
    with remote(patience_s=1e6) as (lab, served, _, _, far):
        far.hold_dark()
        assert not lab.laser.emission, "OFF goes out at once"
        with pytest.raises(JobStoppedError):
            far.measure(np.ones((1, 16, 16)), np.zeros((2, 16, 16)))
        far.make_safe()
        with pytest.raises(JobStoppedError):
            far.switch_on()
        assert not lab.laser.emission and served.status().owner is None
        far.release()
        far.switch_on()
        assert lab.laser.emission


def test_after_off_a_lost_lease_is_not_taken_again() -> None:
    with remote(patience_s=1e6) as (lab, served, now_s, _, far):
        far.send_off()
        now_s.now_s += LEASE_S + 0.1
        served.check_owner()
        with pytest.raises(JobStoppedError):
            far.measure(np.ones((1, 16, 16)), np.zeros((2, 16, 16)))
        assert not lab.laser.emission
