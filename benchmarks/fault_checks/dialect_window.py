"""The window's side of a bench's process, without a window: -m ... BENCH.toml.

It prints the number of the bench's process, does what it reads, a line each, and answers as
`dialect_command` does: "dark" where the engine reports that the laser is dark.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from benchmarks.fault_checks.dialect_command import DARK, OTHER
from gui.process.bench_process import BenchProcess
from labdiff.engine.commands import (
    Command,
    Connect,
    Disconnect,
    SafeState,
    SetEmission,
    SetPower,
    ShowPhase,
)
from labdiff.engine.status import BenchState, ErrorReport, PatternDisplayed

ANSWERS_WITHIN_S = 30.0
"""Longest time for the engine's report; after it nothing is reported to be dark."""
COMMANDS: dict[str, Command] = {
    "on": SetEmission(True),
    "off": SetEmission(False),
    "power": SetPower(20.0),
    "safe": SafeState(),
    "close": Disconnect(),
}
POLL_S = 0.02
"""Time between two looks at what the process reports, as the window's timer has it."""


class Steering:
    """Sends commands, and reads what is reported; a thread polls as the window does."""

    def __init__(self) -> None:
        self._process = BenchProcess((64, 64))
        self._reports: list[object] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        while True:
            with self._lock:
                self._reports += [each.event for each in self._process.poll()]
            time.sleep(POLL_S)

    @property
    def pid(self) -> int | None:
        """Number of the bench's process."""
        return self._process.pid

    def do(self, command: Command) -> bool:
        """Send a command; return whether the state that is reported after it is a dark laser.

        A pattern is displayed after it: the state that follows its report is none of before the command.
        """
        with self._lock:
            self._reports.clear()
        self._process.ask(command)
        closing = isinstance(command, Disconnect)
        if not closing:
            self._process.ask(ShowPhase(None))
        until_s = time.monotonic() + ANSWERS_WITHIN_S
        displayed = closing
        while time.monotonic() < until_s and self._process.alive:
            with self._lock:
                reports, self._reports = self._reports, []
            for event in reports:
                if isinstance(event, ErrorReport):
                    return False
                displayed = displayed or isinstance(event, PatternDisplayed)
                if displayed and isinstance(event, BenchState):
                    return not event.emission and (closing or bool(event.devices))
            time.sleep(POLL_S)
        return False


def main() -> None:
    """Connect the bench, light its laser, and do what is asked."""
    steering = Steering()
    print(steering.pid, flush=True)
    connect = Connect(sys.argv[1], calibrations=Path(sys.argv[1]).parent / "calibrations")
    steering.do(connect)
    steering.do(SetEmission(True))
    print(OTHER, flush=True)
    for line in sys.stdin:
        word = line.strip().partition(" ! ")[0]
        dark = steering.do(COMMANDS.get(word, connect))
        print(DARK if dark else OTHER, flush=True)


if __name__ == "__main__":
    main()
