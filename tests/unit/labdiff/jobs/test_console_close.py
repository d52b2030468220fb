from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from labdiff.jobs.console_close import (
    CLOSE,
    LOG_OFF,
    SHUT_DOWN,
    ConsoleCloseHandler,
    handle_console_close,
)
from labdiff.jobs.signal_listener import SignalListener
from labdiff.jobs.stop_signal import StopOnSignal

CTRL_C, CTRL_BREAK = 0, 1


def _from_another_thread(handler: ConsoleCloseHandler, event: int) -> bool:
    """Handle an event in a thread, as Windows does."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(handler(event)))
    thread.start()
    thread.join(30.0)
    return answers[0]


@pytest.mark.parametrize("event", [CLOSE, LOG_OFF, SHUT_DOWN])
def test_an_end_of_the_console_stops_a_job(event: int) -> None:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with StopOnSignal() as stop:
            assert _from_another_thread(ConsoleCloseHandler(signal.SIGTERM, 0.0), event)
            assert stop.requested()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_windows_is_held_up_until_the_act_was_called() -> None:
    """The act, which sends OFF, does not wait for the main thread, and the handler holds on."""
    acted = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    listener = SignalListener(acted.set, [signal.SIGTERM])
    handler = ConsoleCloseHandler(signal.SIGTERM, 60.0)
    holding = threading.Thread(target=handler, args=(CLOSE,), daemon=True)
    try:
        holding.start()
        assert acted.wait(30.0)
        assert holding.is_alive()
    finally:
        handler.released.set()
        holding.join(30.0)
        listener.close()
        signal.signal(signal.SIGTERM, before)
    assert not holding.is_alive()


@pytest.mark.parametrize("event", [CTRL_C, CTRL_BREAK])
def test_ctrl_c_and_break_are_left_to_their_signals(event: int) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert not ConsoleCloseHandler(signal.SIGTERM, 0.0)(event)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does have these events")
def test_elsewhere_no_handler_is_registered() -> None:
    handle_console_close()
    from labdiff.jobs import console_close

    assert console_close._registered == []


PROGRAM = """
from labdiff.jobs.stop_signal import StopOnSignal
with StopOnSignal() as stop:
    print("ready", flush=True)
    while not stop.requested():
        pass
print("in good order", flush=True)
"""


@pytest.mark.skipif(sys.platform != "win32", reason="events of Windows' consoles")
def test_ctrl_break_ends_a_program_of_windows_in_good_order() -> None:
    if sys.platform == "win32":
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            text=True,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        process.send_signal(signal.CTRL_BREAK_EVENT)
        assert process.communicate(timeout=60.0)[0].strip() == "in good order"
        assert process.returncode == 0
