"""What the bench's process hears of the window, and that the laser goes off first."""

from __future__ import annotations

import multiprocessing
import queue
import threading
from multiprocessing.connection import Connection

import pytest

from drivers.operator import HandRequest
from gui.process import command_listener
from gui.process.command_listener import CommandListener
from gui.process.hand_requests import HandRequests
from labdiff.engine.commands import Command, HandDone, SafeState, SetLive
from labdiff.engine.status import HandRequested

LIMIT_S = 60.0


class Heard:
    """A listener in a thread, and the order of what came of it."""

    def __init__(self) -> None:
        self.order: queue.Queue[object] = queue.Queue()
        self.commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        take, self.window = multiprocessing.Pipe(duplex=False)
        off, self.emergency = multiprocessing.Pipe(duplex=False)
        self.hands = HandRequests(self.order.put)
        listener = CommandListener(self.commands, self._laser_off, self._frozen, self.hands)
        listener.start(take, off)

    def _laser_off(self) -> None:
        self.order.put("off")
        raise OSError("a laser that fails does not end the listener")

    def _frozen(self) -> None:
        self.order.put("frozen")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    monkeypatch.setattr(command_listener, "FROZEN_S", 0.05)
    return Heard()


def send(window: Connection, *messages: Command | None) -> None:
    for message in messages:
        window.send(message)


def test_the_safe_state_switches_the_laser_off_before_it_waits_in_the_queue(heard: Heard) -> None:
    send(heard.window, SafeState())
    assert heard.order.get(timeout=LIMIT_S) == "off"
    assert heard.commands.get(timeout=LIMIT_S) == SafeState()
    send(heard.window, SetLive(True))
    assert heard.commands.get(timeout=LIMIT_S) == SetLive(True)


def test_a_press_that_comes_in_two_ways_is_one_safe_state(heard: Heard) -> None:
    for press in (1, 2):
        heard.emergency.send_bytes(str(press).encode())
        assert heard.commands.get(timeout=LIMIT_S) == SafeState(press)
        send(heard.window, SafeState(press), SetLive(False))
        assert heard.commands.get(timeout=LIMIT_S) == SetLive(False)


def test_a_press_whose_second_way_comes_first_is_one_safe_state(heard: Heard) -> None:
    send(heard.window, SafeState(1))
    assert heard.commands.get(timeout=LIMIT_S) == SafeState(1)
    heard.emergency.send_bytes(b"1")
    heard.emergency.send_bytes(b"2")
    assert heard.commands.get(timeout=LIMIT_S) == SafeState(2)


def test_a_window_that_is_gone_leaves_a_dark_laser_at_once(heard: Heard) -> None:
    heard.window.close()
    assert heard.order.get(timeout=LIMIT_S) == "off"
    assert heard.commands.get(timeout=LIMIT_S) is None
    heard.emergency.close()
    assert heard.order.get(timeout=LIMIT_S) == "off"


def test_a_window_that_gives_no_more_signs_of_life_is_frozen(heard: Heard) -> None:
    send(heard.window, None)
    assert heard.order.get(timeout=LIMIT_S) == "off"
    assert heard.order.get(timeout=LIMIT_S) == "frozen"
    assert heard.commands.get(timeout=LIMIT_S) == SafeState()
    send(heard.window, SetLive(True))
    assert heard.commands.get(timeout=LIMIT_S) == SetLive(True), (
        "it is served on when it lives again"
    )


def test_a_program_that_gives_no_signs_of_life_is_never_frozen(heard: Heard) -> None:
    send(heard.window, SetLive(False))
    assert heard.commands.get(timeout=LIMIT_S) == SetLive(False)
    heard.window.close()
    assert heard.order.get(timeout=LIMIT_S) == "off"
    assert heard.commands.get(timeout=LIMIT_S) is None and heard.order.empty()


def test_what_needs_a_hand_waits_for_the_persons_answer_or_the_windows_end(heard: Heard) -> None:
    answers: queue.Queue[bool] = queue.Queue()
    request = HandRequest("laser", "block the beam", "no light reaches the SLM")

    def ask() -> None:
        answers.put(heard.hands(request))

    for done in (True, False):
        threading.Thread(target=ask, daemon=True).start()
        asked = heard.order.get(timeout=LIMIT_S)
        assert isinstance(asked, HandRequested) and asked.act == "block the beam"
        send(heard.window, HandDone(asked.number, done))
        assert answers.get(timeout=LIMIT_S) is done
    threading.Thread(target=ask, daemon=True).start()
    assert isinstance(heard.order.get(timeout=LIMIT_S), HandRequested)
    heard.window.close()
    assert answers.get(timeout=LIMIT_S) is False
