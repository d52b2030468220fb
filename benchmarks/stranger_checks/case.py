"""One case: a device as a stranger brings it, and what became of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Part, Setting
from calibration.result import CalibrationError
from drivers.errors import DeviceError
from labdiff.errors import UserError

REFUSALS = (UserError, DeviceError, CalibrationError)
"""Errors in words, by which labdiff refuses what it does not take."""
LEAST_WORDS = 8
"""Number of words from which a refusal can say what to do."""
CASES = "LABDIFF_CASES"
"""Environment variable that names the folder of inputs as strangers brought them."""

Result = Literal["right", "refused", "silent", "raw"]


@dataclass(frozen=True, slots=True)
class StrangerCase:
    """A device or a bench. act: uses it, and returns whether it did what its own side says it did.

    What is refused in words, with the remedy, counts as refused; False is a fault that nobody was told of;
    any other error is raw.
    """

    name: str
    act: Callable[[], bool]


def cases_folder(setting: Setting) -> Path | None:
    """Return the folder of inputs as strangers brought them; None, noted as left out, without it."""
    named = os.environ.get(CASES, "")
    folder = Path(named, "devices") if named else None
    if folder is None or not folder.is_dir():
        setting.leave_out(f"the cases of {CASES}, which is not set")
        return None
    return folder


def result_of(case: StrangerCase) -> tuple[Result, str]:
    """Try a case; return what became of it, and why."""
    try:
        right = case.act()
    except REFUSALS as error:
        words = str(error)
        return ("refused" if len(words.split()) >= LEAST_WORDS else "raw"), words
    except Exception as error:
        return "raw", f"{type(error).__name__}: {error}"
    return ("right", "") if right else ("silent", "taken, and it does something else")


def part(group: str, cases: Callable[[Setting], Sequence[StrangerCase]]) -> Part:
    """Return the part of the benchmark that tries these cases."""

    def measure(setting: Setting) -> Outcome:
        there = cases(setting)
        every = setting.amount(f"{group}: cases", smoke=2, quick=len(there), full=len(there))
        chosen = there[:: max(1, len(there) // every)][:every]
        counted: Counter[Result] = Counter()
        found: dict[str, str] = {}
        for case in chosen:
            result, why = result_of(case)
            counted[result] += 1
            found[case.name] = f"{result}: {why}" if why else result
            if result in ("silent", "raw"):
                setting.say(f"  {group}: {case.name}: {result}: {why}")
        count = len(chosen)
        return Outcome(
            [
                claim(f"{group}: of {count} cases, silent", counted["silent"], "<= 0"),
                claim(f"{group}: of {count} cases, raw", counted["raw"], "<= 0"),
                claim(f"{group}: of {count} cases, right", counted["right"], ">= 1"),
            ],
            {
                "cases": count,
                "right": counted["right"],
                "refused": counted["refused"],
                "each": found,
            },
        )

    return measure
