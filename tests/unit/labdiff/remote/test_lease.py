"""The lease of a served bench: one owner, known by a token of the server's; nobody else moves anything."""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
import pytest

from drivers.errors import DeviceStateError, DeviceValueError, NoLightError
from labdiff.errors import JobStoppedError
from labdiff.remote import lease
from labdiff.remote.lease import Lease
from labdiff.remote.messages import (
    BenchInUseError,
    BenchStatus,
    LeaseLostError,
    RemoteError,
)
from labdiff.remote.ownership import NAME_LONGEST
from labdiff.remote.remote_bench import RemoteBench
from labdiff.remote.serialisation import Packed, pack, unpack
from labdiff.remote.served_bench import LEASE_S, ServedBench
from tests.support.served_bench import Wire, config_of, remote

NOBODY: tuple[Any, ...] = ("", " ", None, "0" * 32, "\x00", b"", 0, True, [], "ü" * 16, "a" * 10**6)
"""Tokens of those who have none."""


@pytest.fixture(autouse=True)
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say themselves when the owner is heard."""
    monkeypatch.setattr(lease, "HEARTBEAT_S", 1e6)


def attempts(served: ServedBench, token: Any, batch: Any) -> list[Any]:
    """What somebody with a token gets who tries everything that moves a device."""
    served.call("prefetch", token, batch)
    return [
        served.call("switch_on", token),
        served.call("operate", token, "laser.emission=", True),
        served.call("operate", token, "laser.send_off"),
        served.call("operate", token, "slm.set_grey", pack(np.full((24, 60), 9.0))),
        served.call("operate", token, "camera.exposure_ms=", 3.0),
        served.call("acquire", token, batch),
    ]


@pytest.mark.parametrize("free", [False, True])
def test_who_has_no_token_moves_nothing(free: bool) -> None:
    with remote() as (lab, served, _, _, far):
        batch, _ = far._to_send(np.ones((1, 16, 16)), np.zeros((2, 16, 16)))
        if free:
            far.make_safe()
        pattern, exposure_ms = lab.slm.reported_pattern, lab.camera.exposure_ms
        for token in NOBODY:
            for answer in attempts(served, token, batch):
                assert isinstance(answer, RemoteError) and answer.kind == "LeaseLostError"
            assert served.call("beat", token) is False
            served.call("detach", token)
            assert lab.laser.emission is (not free)
            status: BenchStatus = served.call("status")
            assert status.at_rest is free and status.emission is (not free)
            assert (status.owner is None) is free
        assert not served._prefetched
        assert (lab.slm.reported_pattern, lab.camera.exposure_ms) == (pattern, exposure_ms)


def test_two_clients_the_second_has_nothing_until_the_first_lets_go_and_then_the_firsts_is_void() -> (
    None
):
    with remote() as (lab, served, _, _, first):
        config = config_of(served._bench)
        old = first.lease.token
        second_lease = Lease(Wire(served))
        with pytest.raises(BenchInUseError, match="in use by process .* one owner"):
            RemoteBench(config, served.status(), second_lease)
        assert second_lease.token is None and first.lease.token == old
        first.camera.exposure_ms = 2.5
        first.make_safe()
        assert first.lease.token is None and served.status().at_rest
        second = RemoteBench(config, served.status(), Lease(Wire(served)))
        assert second.lease.token not in (old, None)
        batch, _ = first._to_send(np.ones((1, 16, 16)), np.zeros((2, 16, 16)))
        for answer in attempts(served, old, batch):
            assert isinstance(answer, RemoteError) and answer.kind == "LeaseLostError"
        served.call("detach", old)
        assert lab.laser.emission and second.camera.exposure_ms == 2.5
        second.close()
        assert not lab.laser.emission and served.status().owner is None


def test_tokens_are_long_random_and_in_no_status() -> None:
    with remote() as (_, served, _, _, far):
        tokens = set()
        for _ in range(20):
            assert isinstance(far.lease.token, str) and len(far.lease.token) >= 32
            assert far.lease.token not in repr(served.status())
            tokens.add(far.lease.token)
            far.make_safe()
            far.switch_on()
        assert len(tokens) == 20


def test_a_lease_alone_lights_nothing_and_ends_by_silence() -> None:
    with remote() as (lab, served, now_s, _, far):
        far.make_safe()
        token = served.call("attach", "half a client").token
        assert served.status().at_rest and served.status().owner == "half a client"
        answer = served.call("operate", token, "laser.emission=", True)
        assert isinstance(answer, RemoteError) and "at rest" in answer.message
        assert not lab.laser.emission
        now_s.now_s += LEASE_S + 0.1
        served.check_owner()
        assert served.status().owner is None
        assert served.call("beat", token) is False


def test_a_lost_answer_to_attach_is_waited_for_and_anothers_lease_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with remote(patience_s=1e6) as (_, served, now_s, _, far):
        far.make_safe()
        served.call("attach", "this run, whose answer was lost")

        def time_passes(_: float) -> None:
            now_s.now_s += 1.0
            served.check_owner()

        far.lease.sleep_s = time_passes
        far.lease.attach_again(LeaseLostError("cut"), lambda: False)
        assert far.lit
        far.make_safe()
        token = served.call("attach", "another run").token
        monkeypatch.setattr(lease, "OWN_LEASE_S", 0.0)
        with pytest.raises(BenchInUseError, match="another run"):
            far.lease.attach_again(LeaseLostError("cut"), lambda: False)
        served.call("detach", token)


def test_a_laser_that_does_not_go_on_leaves_the_bench_free() -> None:
    with remote() as (_, served, _, _, far):
        far.make_safe()
        real = served._bench.switch_on

        def fails() -> None:
            raise DeviceValueError("laser: interlock open")

        served._bench.switch_on = fails
        with pytest.raises(DeviceValueError, match="interlock"):
            far.switch_on()
        served._bench.switch_on = real
        assert far.lease.token is None and served.status().owner is None
        far.switch_on()
        assert far.lit


def test_names_are_bounded_and_have_no_control_codes(caplog: pytest.LogCaptureFixture) -> None:
    with remote() as (_, served, now_s, _, far):
        far.make_safe()
        for name in (
            "\x1b[2J\x1b]0;owned\x07Ann\nroot",
            "\u202egnol",
            "x" * 10**6,
            "",
            "\n",
            None,
            7,
        ):
            with caplog.at_level(logging.WARNING):
                served.call("attach", name)
                shown = served.status().owner
                refused = served.call("attach", "second")
                now_s.now_s += LEASE_S + 1.0
                served.check_owner()
            assert shown and shown.isprintable() and len(shown) <= NAME_LONGEST
            assert shown in refused.message and refused.message.isprintable()
        assert all(record.getMessage().isprintable() for record in caplog.records)


def test_an_unknown_call_and_a_wrong_one_are_one_plain_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with remote() as (_, served, _, _, far):
        token = far.lease.token
        calls: list[tuple[Any, ...]] = [
            ("_bench",),
            ("\x1b[31mclose",),
            (None,),
            (["status"],),
            ("operate",),
            ("operate", token),
            ("operate", token, "\x1b[2J"),
            ("operate", token, ["slm.name"]),
            ("acquire", token, "\x1b[2J"),
            ("prefetch", token, None),
            ("attach",),
            ("operate", token, "clock.sleep_s", 1e9),
            ("operate", token, "camera.get_frames", 10**9),
        ]
        for arguments in calls:
            answer = served.call(*arguments)
            assert isinstance(answer, RemoteError), arguments
            assert str(answer.error()).isprintable() and len(answer.message) <= 1000
        assert all("\x1b" not in record.getMessage() for record in caplog.records)
        assert far.lit and far.camera.exposure_ms > 0


def test_a_second_client_never_waits_for_the_firsts_batch() -> None:
    """However many ask, the owner's heartbeats are heard: they take no thread that waits."""
    with remote() as (lab, served, _, _, far):
        inside, go_on = threading.Event(), threading.Event()
        real = lab.camera.expose

        def expose() -> Any:
            inside.set()
            assert go_on.wait(60.0)
            return real()

        lab.camera.expose = expose
        dark: list[NoLightError] = []

        def measure() -> None:
            try:
                far.measure(np.ones((1, 16, 16)), np.zeros((2, 16, 16)))
            except NoLightError as error:
                dark.append(error)

        measuring = threading.Thread(target=measure)
        measuring.start()
        assert inside.wait(60.0)
        for what, *rest in (("attach", "second"), ("operate", "", "slm.name"), ("switch_on", "")):
            assert isinstance(served.call(what, *rest), RemoteError)
        assert served.call("beat", far.lease.token) is True
        assert served.status().owner is not None
        assert served.call("operate", far.lease.token, "laser.send_off") is None
        assert not lab.laser.emission, "OFF waits for no batch"
        go_on.set()
        measuring.join(60.0)
        assert not measuring.is_alive() and len(dark) == 1


def test_a_stop_ends_the_wait_for_a_batch_and_for_a_lost_line() -> None:
    with remote() as (_, _, _, _, far):
        batch = np.ones((1, 16, 16)), np.zeros((2, 16, 16))
        with pytest.raises(JobStoppedError, match="during a batch"):
            far.acquire(*batch, should_stop=lambda: True)
        with pytest.raises(JobStoppedError, match="connection was lost"):
            far.lease.attach_again(LeaseLostError("cut"), lambda: True)


@pytest.mark.parametrize(
    "damaged",
    [
        Packed((bytes(8),) * 8, (False,) * 8, "<f8", (1 << 40,)),
        Packed((bytes(8),) * 8, (False,) * 8, "<f8", (-8,)),
        Packed((bytes(8),), (False,), "O", (8,)),
        Packed((bytes(8),), (True,), "|u1", (8,)),
        Packed((), (), "|u1", (8,)),
        Packed((bytes(8),), (False, False), "|u1", (8,)),
        Packed((bytes(7),), (False,), "|u1", (8,)),
        Packed((bytes(8),), (False,), "no type", (8,)),
    ],
    ids=["huge", "negative", "object", "no zlib", "nothing", "uneven", "short", "type"],
)
def test_a_damaged_array_is_one_line(damaged: Packed) -> None:
    with pytest.raises(DeviceValueError):
        unpack(damaged)


def test_a_bomb_is_inflated_no_further_than_it_declares() -> None:
    bomb = pack(np.zeros(1 << 20, np.uint8))
    assert bomb.deflated == (True,)
    with pytest.raises(DeviceValueError, match="1025 bytes in place of 1024"):
        unpack(Packed(bomb.planes, bomb.deflated, bomb.dtype, (1024,)))


def test_a_bench_rests_when_the_program_that_serves_it_is_gone_and_is_given_again_when_it_is_back() -> (
    None
):
    with remote() as (lab, served, now_s, _, far):
        served.call("keep")
        now_s.now_s += LEASE_S + 0.1
        served.call("beat", far.lease.token)
        served.check_owner()
        assert not lab.laser.emission and served.status().owner is None
        answer = served.call("attach", "late")
        assert isinstance(answer, RemoteError) and answer.kind == "LeaseLostError"
        served.call("keep")
        far.lease.detach()
        far.switch_on()
        assert lab.laser.emission


def test_a_closed_bench_is_given_to_nobody() -> None:
    with remote() as (_, served, _, _, far):
        far.make_safe()
        served.close()
        answer = served.call("attach", "late")
        assert isinstance(answer, RemoteError)
        with pytest.raises(DeviceStateError, match="being closed"):
            raise answer.error()
