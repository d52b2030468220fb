"""How fields are propagated on a CPU: what is fastest depends on the machine, so it is measured.

A plan, as FFTW has it (Frigo and Johnson, Proc. IEEE 93, 216 (2005)): for every size one of two ways
through the same transforms, and how many samples go side by side. They agree but for rounding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

IN_CACHE = 2**17
"""Complex numbers, 1 MB: what is transformed at a time where nothing was measured."""
TOGETHER = (1, 2, 4)
"""Numbers of samples side by side that are tried."""
MOST_TOGETHER = 2**20
"""Complex numbers, 8 MB, that are transformed at a time at most: memory, not speed."""

PlanKind: TypeAlias = Literal["lines", "whole"]
"""Names of the two ways through the transforms."""
MOST_ROUNDS = 20
"""Largest number of rounds in which the plans are timed."""
CLEARLY = 0.85
"""Share of the standard plan's time below which another one is taken: on a busy machine less is chance."""


@dataclass(frozen=True, slots=True)
class GridSize:
    """Sizes (height, width) of fields and of their padded grid, and the number of threads that compute."""

    field: tuple[int, int]
    padded: tuple[int, int]
    threads: int

    @property
    def name(self) -> str:
        """The size in words, as the stored plans have it."""
        (height, width), (rows, columns) = self.field, self.padded
        return f"{height}x{width} in {rows}x{columns}, {self.threads} threads"


@dataclass(frozen=True, slots=True)
class TransformPlan:
    """One way through the transforms.

    Attributes:
        kind: "lines": only lines that carry light are transformed, one axis after the other; "whole": the
            whole grid at once, which moves more but in the order of the memory.
        together: number of samples side by side.
    """

    kind: PlanKind
    together: int

    @property
    def name(self) -> str:
        """The plan in words."""
        return f"{self.kind} x {self.together}"


def standard_plan(size: GridSize) -> TransformPlan:
    """Return the plan where nothing was measured: lines, as many samples as stay in a cache of 1 MB."""
    rows, columns = size.padded
    return TransformPlan("lines", max(1, IN_CACHE // (rows * columns)))


def candidates(size: GridSize) -> list[TransformPlan]:
    """Return the plans that are tried for a size, the standard one first."""
    rows, columns = size.padded
    first = standard_plan(size)
    fitting = [n for n in TOGETHER if n == 1 or n * rows * columns <= MOST_TOGETHER]
    others = [TransformPlan(kind, n) for kind in get_args(PlanKind) for n in fitting]
    return [first, *(plan for plan in others if plan != first)]


class PlanBook:
    """The plans of this process, by size; whoever has measured one puts it in."""

    def __init__(self) -> None:
        self._plans: dict[GridSize, TransformPlan] = {}
        self._forced: TransformPlan | None = None

    def plan(self, size: GridSize) -> TransformPlan:
        """Return the plan of a size: the forced one, the measured one, or the standard one."""
        return self._forced or self._plans.get(size) or standard_plan(size)

    def put(self, size: GridSize, plan: TransformPlan) -> None:
        """Use a plan for a size from now on."""
        self._plans[size] = plan

    def forget(self) -> None:
        """Use the standard plans again."""
        self._plans.clear()

    @contextmanager
    def forced(self, plan: TransformPlan) -> Iterator[None]:
        """Use one plan for every size while this is entered."""
        before, self._forced = self._forced, plan
        try:
            yield
        finally:
            self._forced = before


PLANS = PlanBook()
"""The plans of this process."""


def timed_plans(
    size: GridSize,
    time_s: Callable[[TransformPlan], float],
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[TransformPlan, float]:
    """Time the plans of a size, the standard one first, until the time is spent; return seconds by plan.

    Args:
        size: of the fields.
        time_s: times a sample's step by a plan.
        budget_s: time after which no further plan is tried.
        clock: by which the time is spent.
    """
    plans = candidates(size)
    rounds: list[dict[TransformPlan, float]] = []
    began_s = clock()
    # In turns, so that a moment in which the machine is busy does not hit one plan alone.
    while len(rounds) < MOST_ROUNDS:
        rounds.append({})
        for plan in plans:
            if rounds[0] and clock() - began_s > budget_s:
                return _least(rounds)
            rounds[-1][plan] = time_s(plan)
    return _least(rounds)


def _least(rounds: list[dict[TransformPlan, float]]) -> dict[TransformPlan, float]:
    """Return the least time of each plan; the first round, which warms up, counts if it is the only one."""
    found = dict(rounds[0])
    for plan in found:
        later = [times_s[plan] for times_s in rounds[1:] if plan in times_s]
        found[plan] = min(later, default=found[plan])
    return found


def chosen_plan(times_s: dict[TransformPlan, float]) -> TransformPlan:
    """Return the fastest plan; the standard one, which is the first, unless another is clearly faster."""
    standard = next(iter(times_s))
    fastest = min(times_s, key=lambda plan: times_s[plan])
    return fastest if times_s[fastest] < CLEARLY * times_s[standard] else standard


def computing_clock(threads: int) -> Callable[[], float]:
    """Return the clock that times a computation: this thread's own where it computes alone.

    What else runs on the machine then takes no part. Windows' own counts in steps of 16 ms.
    """
    fine = time.get_clock_info("thread_time").resolution < 1e-4
    return time.thread_time if threads == 1 and fine else time.perf_counter
