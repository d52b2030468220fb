"""The likeliest causes of what routines have noticed, with their odds, and the test that decides."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from calibration.result import Verdict
from calibration.signs import SIGNS, Sign
from labdiff.calibrations.causes import CAUSES, CHANCE, Cause

NAMED = 2
"""Number of causes that a verdict names."""
UNKNOWN_CHANCE = 0.15
"""Chance of each sign if the cause is none of the table's."""


@dataclass(frozen=True, slots=True)
class Likely:
    """A cause, and its probability among all of the table, and among none of them, 0 ... 1."""

    cause: Cause
    probability: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """signs: that were seen. likely: causes, the likeliest first; none without a sign."""

    signs: tuple[Sign, ...]
    likely: tuple[Likely, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the causes, the likeliest first."""
        return tuple(each.cause.name for each in self.likely)

    def __str__(self) -> str:
        """Return causes and odds in words; empty if there is none."""
        if not self.likely:
            return ""
        named = [f"{each.cause.description} ({each.probability:.0%})" for each in self.likely]
        return f"Likeliest: {', or '.join(named)}."

    @property
    def test(self) -> str:
        """Return the test that decides; empty without causes."""
        return f"To decide: {self.likely[0].cause.test}" if self.likely else ""


def diagnose(signs: Mapping[str, Collection[Sign]], passed: Collection[str]) -> Diagnosis:
    """Return the likeliest causes of signs (naive Bayes: signs as if independent, causes equally likely).

    A sign that a finished routine would have shown and did not counts against the causes that make it from
    the beginning on.

    Args:
        signs: that were seen, by routine.
        passed: names of the routines that came to their end.
    """
    seen = {sign for found in signs.values() for sign in found}
    if not seen:
        return Diagnosis((), ())
    missing = [
        sign for sign, record in SIGNS.items() if record.routine in passed and sign not in seen
    ]
    weights = [_log_likelihood(cause, seen, missing) for cause in CAUSES]
    unknown = len(seen) * math.log(UNKNOWN_CHANCE) + len(missing) * math.log(1.0 - UNKNOWN_CHANCE)
    highest = max(*weights, unknown)
    shares = [math.exp(weight - highest) for weight in weights]
    total = sum(shares) + math.exp(unknown - highest)
    likely = sorted(
        (Likely(cause, share / total) for cause, share in zip(CAUSES, shares, strict=True)),
        key=lambda each: -each.probability,
    )[:NAMED]
    return Diagnosis(tuple(sign for sign in SIGNS if sign in seen), tuple(likely))


def _log_likelihood(cause: Cause, seen: Collection[Sign], missing: Collection[Sign]) -> float:
    chances = [cause.signs.get(sign, CHANCE) for sign in seen]
    expected: Mapping[Sign, float] = {} if cause.sudden else cause.signs
    misses = [1.0 - expected.get(sign, CHANCE) for sign in missing]
    return sum(math.log(chance) for chance in (*chances, *misses))


def with_diagnosis(verdict: Verdict, diagnosis: Diagnosis) -> Verdict:
    """Return a verdict that names the likeliest causes and the test that decides.

    Args:
        verdict: that does not simply pass.
        diagnosis: of all signs until then.
    """
    if not diagnosis.likely:
        return verdict
    remedy = " ".join(filter(None, (verdict.remedy, str(diagnosis), diagnosis.test)))
    return dataclasses.replace(verdict, remedy=remedy, causes=diagnosis.names)
