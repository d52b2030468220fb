"""Calls that do not come back."""

from __future__ import annotations

import threading

import pytest

from drivers.camera.bounded_call import BoundedCalls
from drivers.errors import DeviceTimeoutError


def test_what_a_call_returns_or_raises_comes_through() -> None:
    calls = BoundedCalls("camera")
    assert calls(lambda: 3, 5000.0, "no answer") == 3
    with pytest.raises(ZeroDivisionError):
        calls(lambda: 1 // 0, 5000.0, "no answer")
    calls.end()


def test_a_call_that_hangs_is_given_up_and_the_next_says_why_until_it_comes_back() -> None:
    calls, gate, back = BoundedCalls("camera"), threading.Event(), threading.Event()
    with pytest.raises(DeviceTimeoutError, match="camera: no frame within 20 ms"):
        calls(gate.wait, 20.0, "no frame")
    with pytest.raises(DeviceTimeoutError, match="still hangs"):
        calls(lambda: 3, 5000.0, "no frame")
    calls._calls.put(back.set)
    gate.set()
    assert back.wait(5.0)
    assert calls(lambda: 3, 5000.0, "no frame") == 3
    calls.end()
