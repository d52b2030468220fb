"""The window's process without a window: an engine that is given commands, and what it would show."""

from __future__ import annotations

from drivers.types import Frame
from labdiff.engine.commands import Command, Quit
from labdiff.engine.engine import Engine
from labdiff.engine.status import EngineEvent, ErrorReport, JobState
from labdiff.events import ValidityChecked


class ScriptedWindow:
    """Steers an engine in this thread.

    events, frames: what it would show. errors: messages in its notice bar.
    """

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self.frames: list[Frame] = []

    def play(self, *script: Command | int) -> ScriptedWindow:
        """Execute commands, each when the job before has ended; a number lets so many turns pass."""
        waiting: list[Command | None] = []
        for each in script:
            waiting += [None] * each if isinstance(each, int) else [each]

        def take(_wait_s: float) -> Command | None:
            if self._busy:
                return None
            return waiting.pop(0) if waiting else Quit()

        Engine(self.events.append, self.frames.append).serve(take)
        return self

    @property
    def errors(self) -> list[str]:
        """Messages of errors, in order."""
        return [event.message for event in self.events if isinstance(event, ErrorReport)]

    @property
    def findings(self) -> dict[str, str]:
        """State of each routine, as the calibration page shows it."""
        checked = [event for event in self.events if isinstance(event, ValidityChecked)]
        return {name: state for event in checked for name, state, _ in event.findings}

    @property
    def _busy(self) -> bool:
        states = [event.state for event in self.events if isinstance(event, JobState)]
        return bool(states) and states[-1] != "idle"
