"""One attempt to get through: what a stranger does, and the signs by which it shows that it worked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Part, Setting
from calibration.result import CalibrationError
from drivers.errors import DeviceError
from labdiff.errors import UserError

REFUSALS = (UserError, DeviceError, CalibrationError)
"""Errors by which labdiff refuses what it does not take."""
SMOKE_ATTEMPTS = 3
CANARY = "canary"
"""File that the code of a stranger would make."""
CODE = f"import pathlib; pathlib.Path({CANARY!r}).touch()\n"
"""Python code of a stranger's, run in the folder of the attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt. act: does it in a new folder, and returns signs that it got through; none if it did not.

    To be refused in one of the REFUSALS is not to get through.
    """

    name: str
    act: Callable[[Path], Sequence[str]]


class Canary:
    """An object that runs code wherever it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, (CODE,)


def part(group: str, attempts: Sequence[Attempt]) -> Part:
    """Return the part of a benchmark that makes these attempts."""

    def measure(setting: Setting) -> Outcome:
        every = setting.amount(
            f"{group}: attempts",
            smoke=min(SMOKE_ATTEMPTS, len(attempts)),
            quick=len(attempts),
            full=len(attempts),
        )
        chosen = attempts[:: max(1, len(attempts) // every)][:every]
        through: dict[str, str] = {}
        faults: dict[str, str] = {}
        for each in chosen:
            _make(each, through, faults)
        for name, what in (through | faults).items():
            setting.say(f"  {group}: {name}: {what}")
        count = len(chosen)
        return Outcome(
            [
                claim(f"{group}: of {count} attempts, through", len(through), "<= 0"),
                claim(f"{group}: of {count} attempts, tracebacks", len(faults), "<= 0"),
            ],
            {"attempts": count, "through": through, "tracebacks": faults},
        )

    return measure


def _make(attempt: Attempt, through: dict[str, str], faults: dict[str, str]) -> None:
    """Make one attempt in a folder of its own, which is the current one meanwhile."""
    with tempfile.TemporaryDirectory() as name, _current(Path(name)):
        folder = Path(name).resolve()
        signs: list[str] = []
        try:
            signs += attempt.act(folder)
        except REFUSALS as error:
            message = str(error)
            if any(not line.isprintable() for line in message.splitlines()):
                signs.append(f"control codes in its refusal: {message!r}")
        except Exception as error:
            faults[attempt.name] = f"{type(error).__name__}: {error}"[:300]
        if any(folder.rglob(CANARY)):
            signs.append("code ran")
        if signs:
            through[attempt.name] = "; ".join(signs)[:300]


@contextmanager
def _current(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
