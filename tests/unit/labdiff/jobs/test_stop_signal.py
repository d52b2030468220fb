from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from labdiff.jobs.signal_listener import SUSPEND, SignalListener, stopping_signals
from labdiff.jobs.stop_signal import StopOnSignal

HERE = [number for number in stopping_signals() if number != SUSPEND]


@pytest.mark.parametrize("number", HERE)
def test_the_first_signal_asks_and_the_second_interrupts(number: signal.Signals) -> None:
    # Whoever started the tests may have had it ignored, as nohup does.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with StopOnSignal() as stop:
            assert not stop.requested()
            signal.raise_signal(number)
            assert stop.requested()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert signal.getsignal(number) == signal.default_int_handler
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(SUSPEND is None, reason="Windows has no Ctrl-Z")
def test_ctrl_z_asks_and_then_suspends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SUSPEND is not None
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "labdiff.jobs.signal_listener.os.kill", lambda *sending: sent.append(sending)
    )
    before = signal.signal(SUSPEND, signal.default_int_handler)
    try:
        with StopOnSignal() as stop:
            signal.raise_signal(SUSPEND)
            assert stop.requested()
    finally:
        signal.signal(SUSPEND, before)
    assert sent == [(os.getpid(), signal.SIGSTOP)]


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with StopOnSignal() as stop:
            signal.raise_signal(signal.SIGTERM)
            assert not stop.requested()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_handles_no_signals() -> None:
    before = signal.getsignal(signal.SIGINT)

    def handled() -> bool:
        with StopOnSignal():
            return signal.getsignal(signal.SIGINT) != before

    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(handled).result()


def test_the_act_does_not_wait_for_the_main_thread() -> None:
    """While the handler itself, in the main thread, has not returned, the act was called."""
    acted = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: acted.wait(60.0))
    listener = SignalListener(acted.set, [signal.SIGTERM])
    try:
        signal.raise_signal(signal.SIGTERM)
        assert acted.is_set()
    finally:
        listener.close()
        signal.signal(signal.SIGTERM, before)
