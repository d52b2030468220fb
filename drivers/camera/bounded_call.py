"""Calls into a library that may never come back, with an end to the waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from drivers.errors import DeviceTimeoutError

T = TypeVar("T")


class BoundedCalls:
    """All calls are made on one thread of its own, in their order.

    A call that hangs keeps that thread; it does not keep the program from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.hangs = False
        threading.Thread(target=self._run, name=f"{name} calls", daemon=True).start()

    def __call__(self, act: Callable[[], T], timeout_ms: float, what: str) -> T:
        """Return or raise what a call does; raise DeviceTimeoutError if it does not end in time.

        Args:
            act: the call.
            timeout_ms: time in which it has to end.
            what: description of the call, for the message.
        """
        if self.hangs:
            raise DeviceTimeoutError(f"{self._name}: its library still hangs in an earlier call")
        answer: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

        def call() -> None:
            try:
                answer.put((act(), None))
            except BaseException as error:
                answer.put((None, error))

        self._calls.put(call)
        try:
            result, error = answer.get(timeout=timeout_ms / 1e3)
        except Empty:
            self.hangs = True
            raise DeviceTimeoutError(
                f"{self._name}: {what} within {timeout_ms:.0f} ms; check cable, power and load"
            ) from None
        if error is not None:
            raise error
        found: T = result
        return found

    def end(self) -> None:
        """End the thread of the calls."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            self.hangs = False
