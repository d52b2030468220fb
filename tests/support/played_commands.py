"""An engine in this process that plays a list of commands, and what it reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from drivers.types import Frame
from labdiff.bench.bench import Bench
from labdiff.engine.commands import Command, Quit
from labdiff.engine.engine import Engine
from labdiff.engine.status import BenchState, EngineEvent

E = TypeVar("E", bound=EngineEvent)


class Desk:
    """Plays a list of commands to an engine; an int in it lets the engine go on so many times."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self.frames: list[Frame] = []
        self.engine = Engine(self.events.append, self.frames.append)

    @property
    def bench(self) -> Bench:
        opened = self.engine._opened
        assert opened is not None
        return opened.bench

    def play(self, *script: Command | int | Callable[[], None]) -> Desk:
        queue: Iterator[Command | None] = self._commands(script)
        self.engine.serve(lambda timeout_s: next(queue))
        return self

    def _commands(
        self, script: tuple[Command | int | Callable[[], None], ...]
    ) -> Iterator[Command | None]:
        for part in script:
            if isinstance(part, int):
                yield from [None] * part
            elif callable(part):
                part()
            else:
                yield part
        yield Quit()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def setting(self, device: str, name: str) -> list[float | None]:
        states = [s for s in self.of(BenchState) if s.devices]
        return [
            setting.actual
            for state in states
            for found in state.devices
            if found.kind == device
            for setting in found.settings
            if setting.name == name
        ]
