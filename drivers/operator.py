"""The person at the bench, who is asked to do by hand what no line does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivers.errors import DeviceStateError


@dataclass(frozen=True, slots=True)
class HandRequest:
    """What a person is asked to do. device: its name. act: what to do. expected: what is seen then."""

    device: str
    act: str
    expected: str

    def __str__(self) -> str:
        """Return the request as one line."""
        return f"{self.device}: {self.act} ({self.expected})"


Operator = Callable[[HandRequest], bool]
"""Asks a person; returns True when it was done, False if the person refuses. It is called in any thread."""

_operator: Operator | None = None


def set_operator(operator: Operator | None) -> None:
    """Let requests of this process go to an operator from now on; None: to nobody."""
    global _operator
    _operator = operator


@contextmanager
def operated_by(operator: Operator | None) -> Iterator[None]:
    """Let requests of this process go to an operator while this is entered."""
    before = _operator
    set_operator(operator)
    try:
        yield
    finally:
        set_operator(before)


def request_by_hand(request: HandRequest) -> None:
    """Ask the operator, and return when it was done.

    Raises DeviceStateError if there is nobody to be asked, or the person refuses.
    """
    if _operator is None:
        raise DeviceStateError(
            f"{request}: needs a hand, and there is nobody to be asked; run it in a terminal or in the "
            "window, or give labdiff.open_bench an operator"
        )
    if not _operator(request):
        raise DeviceStateError(f"{request}: was refused by the operator")


def terminal_operator(request: HandRequest) -> bool:
    """Ask in the terminal: Enter says that it was done, "n" refuses."""
    print(f"\a\nBY HAND: {request.device}: {request.act}", file=sys.stderr)
    print(f"         {request.expected}", file=sys.stderr)
    print("         Press Enter when it is done, n and Enter to stop: ", end="", file=sys.stderr)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() not in ("n", "no")


def someone_is_asked() -> bool:
    """Return whether requests of this process go to an operator."""
    return _operator is not None


def operator_of_terminal() -> Operator | None:
    """Return the operator of the terminal; None if standard input is no terminal."""
    return terminal_operator if sys.stdin is not None and sys.stdin.isatty() else None
