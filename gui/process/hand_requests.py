"""What a person has to do by hand at the bench: asked in the window, waited for in the bench's process."""

from __future__ import annotations

import threading
from collections.abc import Callable

from drivers.operator import HandRequest
from labdiff.engine.commands import HandDone
from labdiff.engine.status import HandRequested


class HandRequests:
    """The operator of the bench's process: reports a request to the window, and waits for its answer.

    Args:
        report: where requests go.
    """

    def __init__(self, report: Callable[[HandRequested], None]) -> None:
        self._report = report
        self._answers: dict[int, bool] = {}
        self._changed = threading.Condition()
        self._number, self._over = 0, False

    def __call__(self, request: HandRequest) -> bool:
        """Ask in the window; return whether it was done. False once the window is gone."""
        with self._changed:
            self._number += 1
            number = self._number
        self._report(HandRequested(number, request.device, request.act, request.expected))
        with self._changed:
            self._changed.wait_for(lambda: self._over or number in self._answers)
            return self._answers.pop(number, False)

    def answer(self, answer: HandDone) -> None:
        """Take the window's answer."""
        with self._changed:
            self._answers[answer.number] = answer.done
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait any more: the window is gone."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
