"""How far a whole job is, and how long it still takes: its stages took so long the last time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.engine import commands as ask
from labdiff.events import HOLOGRAM_STAGE
from labdiff.reports.labels import duration
from labdiff.training.methods import STAGES, Method, compared_methods

UNKNOWN_S = 10.0
"""Seconds that a stage is expected to take which was never measured here."""
TELLING_SHARE = 0.05
"""Share of a stage from which on its own pace tells how long it takes."""
CHECKING = "checking the bench"
"""Name of the stage in which the stored calibrations are checked."""
GENERATING = "generating on the "
"""Beginning of the name of the stage in which images are generated."""


def stages_of(command: ask.Command) -> tuple[str, ...]:
    """Return the stages that the job of a command may have, in order; none if it is no job."""
    match command:
        case ask.Calibrate(check=True):
            return (CHECKING,)
        case ask.Calibrate(names, everything):
            return names or (() if everything else (CHECKING,)) + ROUTINE_NAMES
        case ask.Train(options):
            methods: tuple[Method, ...] = ("calibrated", *compared_methods(options), "online")
            bench = (STAGES[method] for method in methods)
            return (STAGES["offline"], CHECKING, *ROUTINE_NAMES, *bench, f"{GENERATING}bench")
        case ask.Generate(request):
            return (f"{GENERATING}{request.where}",)
        case ask.ShowHologram():
            return (HOLOGRAM_STAGE,)
        case _:
            return ()


class JobProgress:
    """The stages of a job: those that are to come, and how far the present one is.

    Args:
        seconds: How long each stage took the last time, by name.
        clock: Returns the time, s.
    """

    def __init__(
        self, seconds: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = dict(seconds)
        self._clock = clock
        self._to_come: list[str] = []
        self._stage, self._share = "", 0.0
        self._begun_s = self._stage_begun_s = 0.0
        self._shown = 0.0

    def begin(self, stages: Iterable[str]) -> None:
        """Begin a job that may have these stages."""
        self._to_come = list(stages)
        self._stage, self._share, self._shown = "", 0.0, 0.0
        self._begun_s = self._stage_begun_s = self._clock()

    def begin_stage(self, name: str) -> None:
        """Begin a stage; those that were to come before it are left out."""
        self._note()
        known = next((stage for stage in self._to_come if name.startswith(stage)), "")
        if known:
            del self._to_come[: self._to_come.index(known) + 1]
        self._stage, self._share, self._stage_begun_s = known or name, 0.0, self._clock()

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave stages out, such as routines whose results are still valid."""
        without = set(names)
        self._to_come = [stage for stage in self._to_come if stage not in without]

    def advance(self, done: int, total: int) -> None:
        """Set how many steps of the present stage are done."""
        self._share = done / total if total > 0 else 0.0

    def end(self) -> None:
        """End the job."""
        self._note()
        self._to_come, self._stage = [], ""

    @property
    def left_s(self) -> float:
        """Seconds that are left, by the pace of the present stage and what the others took."""
        spent_s = self._clock() - self._stage_begun_s
        present_s = max(self._expected_s - spent_s, 0.0) if self._stage else 0.0
        return present_s + sum(self.seconds.get(name, UNKNOWN_S) for name in self._to_come)

    @property
    def _expected_s(self) -> float:
        """Seconds of the whole present stage."""
        if self._share > TELLING_SHARE:
            return (self._clock() - self._stage_begun_s) / self._share
        return self.seconds.get(self._stage, UNKNOWN_S)

    @property
    def fraction(self) -> float:
        """How much of the job is done, 0 ... 1; it never goes back."""
        done_s = self._clock() - self._begun_s
        total_s = max(done_s + self.left_s, 1e-9)
        if self._stage not in self.seconds and self._share <= TELLING_SHARE:
            # Nobody knows yet how long a stage takes that was never measured.
            done_s = self._stage_begun_s - self._begun_s
        found = done_s / total_s
        self._shown = max(self._shown, min(found, 1.0))
        return self._shown

    def describe(self) -> str:
        """Return the time left as text."""
        return f"{self.fraction:.0%}, about {duration(self.left_s)} left"

    def _note(self) -> None:
        """Remember how long the stage took that ends now, unless it was broken off."""
        if self._stage and self._share >= 0.99:
            self.seconds[self._stage] = self._clock() - self._stage_begun_s
