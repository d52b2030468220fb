"""Faults of the mock bench, by script or by chance."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mock_hardware.fault_script import Fault, Scripted, parse
from mock_hardware.settings import MockFaultSettings
from mock_hardware.state import State


class FaultPlan:
    """Which faults meet a frame. Chances are drawn frame by frame from the seed."""

    def __init__(self, settings: MockFaultSettings, seed: int) -> None:
        self._script = [parse(line) for line in settings.script]
        chances: dict[Fault, float] = {
            "dropped": settings.dropped,
            "duplicated": settings.duplicated,
            "torn": settings.torn,
            "late": settings.late,
        }
        self._chances = {fault: chance for fault, chance in chances.items() if chance > 0.0}
        self._seed = seed
        self._calls_met: Counter[int] = Counter()

    def add(self, fault: Fault, first: int, last: int | None = None) -> None:
        """Let a fault happen from a first to a last frame, both included.

        Args:
            fault: Its name.
            first: Number of the first frame, counted from 1.
            last: Number of the last frame; None: the first one.
        """
        self._script.append(Scripted(fault, first, first if last is None else last))

    def at(self, frame: int) -> set[Fault]:
        """Return the faults that meet a frame, counted from 1."""
        found = {entry.fault for entry in self._script if entry.first <= frame <= entry.last}
        if self._chances:
            rng = np.random.default_rng([self._seed, 4, frame])
            found |= {fault for fault, chance in self._chances.items() if rng.random() < chance}
        return found

    def begins(self, fault: Fault, frame: int) -> bool:
        """Return whether a fault begins with this frame and no call has met it before."""
        return any(
            entry.fault == fault and entry.first == frame and not self._calls_met[number]
            for number, entry in enumerate(self._script)
        )

    def state(self) -> State:
        """Return how many calls each line of the script has met; the rest follows from seed and frame."""
        return {"calls_met": np.array([self._calls_met[n] for n in range(len(self._script))], int)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._calls_met = Counter(dict(enumerate(np.asarray(state["calls_met"]).tolist())))

    def call_meets(self, fault: Fault, frame: int) -> bool:
        """Return whether a call meets a fault while `frame` is the next, and count it for its entry."""
        for number, entry in enumerate(self._script):
            left = entry.last - entry.first + 1 - self._calls_met[number]
            if entry.fault == fault and frame >= entry.first and left > 0:
                self._calls_met[number] += 1
                return True
        return False

    def calls_met(self, number: int) -> int:
        """Return how many calls the entry with this number, from 0, has met."""
        return self._calls_met[number]
