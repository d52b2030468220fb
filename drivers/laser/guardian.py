"""The guardian of a laser: `python -m drivers.laser.guardian`, started by `drivers.laser.guarded`.

It listens to the heartbeat of the program that owns the laser. When the program has ended without releasing
it, or stands still, it opens the laser's line and switches the laser off. It imports nothing heavy, is no
child of the program and belongs to no group of processes but its own, and no signal that ends programs ends
it.

From its standard input come lines: first the order, in JSON, then BEAT again and again, now and then BESIDE
and a file's name, at last RELEASE.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, Literal

from drivers.laser.line import LaserLine

BEAT, RELEASE, BESIDE = b"beat\n", b"release\n", b"beside "
READY, OFF, RESULT = "ready", "off", "result"
"""First words of the lines that it writes to its owner: it listens, switches the laser off, did so."""
SILENT_S = 1.5
"""Silence after which the owner counts as standing still."""
SLICE_S = 0.1
"""Time of one wait for a heartbeat."""
LONGEST_SLICE_S = 0.2
"""Longest time of a wait that counts as silence: more of it this process itself stood still."""
FROZEN_TRIES_S = 10.0
"""Time in which a laser has to confirm while its owner stands still; then the owner is ended: it holds the
line of an instrument that serves one connection.
"""
TRIES_S = 45.0
"""Time in which a laser that does not confirm is told OFF again and again."""
IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGTTOU", "SIGTTIN", "SIGBREAK")

if sys.platform == "win32":
    KILL = signal.SIGTERM
else:
    KILL = signal.SIGKILL
"""What ends a program that does not listen; on Windows SIGTERM does that."""

State = Literal["silent", "ended"]


@dataclass(frozen=True, slots=True)
class GuardOrder:
    """What a guardian is to do.

    line: to the laser. laser, owner: their names. process: the owner's number. log: file of its reports.
    note: file that is removed when the laser is confirmed dark, "" for none. beside: a second file of its
    reports, "" for none.
    """

    line: LaserLine
    laser: str
    owner: str
    process: int
    log: str
    note: str = ""
    beside: str = ""

    def to_line(self) -> bytes:
        """Return the order as one line of bytes."""
        values = {
            "line": self.line.to_json(),
            "laser": self.laser,
            "owner": self.owner,
            "process": self.process,
            "log": self.log,
            "note": self.note,
            "beside": self.beside,
        }
        return json.dumps(values).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, text: bytes) -> GuardOrder:
        """Return the order of a line. Raises ValueError, KeyError, TypeError for another line."""
        values = json.loads(text)
        line = LaserLine.from_json(values["line"])
        laser, owner, log, note, beside = (
            str(values[name]) for name in ("laser", "owner", "log", "note", "beside")
        )
        return cls(line, laser, owner, int(values["process"]), log, note, beside)


def beside_line(path: str) -> bytes:
    """Return the line that lets a guardian report in a second file."""
    return BESIDE + json.dumps(path).encode("ascii") + b"\n"


class OwnerPulse:
    """The owner as its heartbeat shows it: a thread reads what the owner sends.

    beside: the second file of reports that it named last, "" for none.
    """

    def __init__(self, stream: BinaryIO, beside: str = "") -> None:
        self._stream, self.beside = stream, beside
        self._beats = threading.Event()
        self._ended = False
        threading.Thread(target=self._read, name="pulse", daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            for line in iter(self._stream.readline, b""):
                if line == RELEASE:
                    os._exit(
                        0
                    )  # whatever the other thread does: nothing is left to be put in order
                if line.startswith(BESIDE):
                    self.beside = str(json.loads(line.removeprefix(BESIDE)))
                self._beats.set()
        self._ended = True
        self._beats.set()

    def wait_while_beating(self) -> State:
        """Wait until the owner has ended or was silent for SILENT_S; return its state."""
        quiet_s = 0.0
        while not self._ended:
            began_s = time.monotonic()
            if self._beats.wait(SLICE_S):
                self._beats.clear()
                quiet_s = 0.0
                continue
            quiet_s += min(time.monotonic() - began_s, LONGEST_SLICE_S)
            if quiet_s >= SILENT_S:
                return "silent"
        return "ended"

    def wait_for_life(self) -> None:
        """Wait until the heart beats again, or the owner has gone."""
        self._beats.wait()

    @property
    def lives_again(self) -> bool:
        """True if the heart has beaten since silence was found, or the owner has gone."""
        return self._beats.is_set()


class Guardian:
    """Switches a laser off when its owner does not live any more."""

    def __init__(self, order: GuardOrder, pulse: OwnerPulse) -> None:
        self._order, self._pulse = order, pulse

    def watch(self) -> None:
        """Watch until the owner has ended; then switch the laser off."""
        pulse = self._pulse
        while pulse.wait_while_beating() == "silent":
            why = f"has stood still for {SILENT_S:g} s"
            failure = self._switch_off(why, FROZEN_TRIES_S, lambda: not pulse.lives_again)
            if failure and not pulse.lives_again:
                self._end_owner()
            pulse.wait_for_life()
        self._switch_off("has ended without switching the laser off", TRIES_S, lambda: True)

    def _end_owner(self) -> None:
        """End a program that stands still and holds the line, so that the laser can be reached."""
        self._log(f"{self._order.owner} still stands still: it is ended, to free the laser's line")
        with suppress(OSError):
            os.kill(self._order.process, KILL)

    def _switch_off(self, why: str, tries_s: float, proceed: Callable[[], bool]) -> str:
        """Switch the laser off and report it; return why it could not be confirmed, "" if it is dark.

        Args:
            why: what the owner did.
            tries_s: time in which it is tried.
            proceed: asked after each try; False ends trying.
        """
        _say(f"{OFF} the program {why}")
        began_s = time.monotonic()
        failure = self._order.line.make_dark(tries_s, proceed)
        took_s = time.monotonic() - began_s
        result = f"confirmed dark after {took_s:.2f} s"
        if failure:
            result = f"NOT confirmed, the laser may be ON: {failure}"
        if not failure and self._order.note:
            with suppress(OSError):
                Path(self._order.note).unlink(missing_ok=True)
        _say(f"{RESULT} {result}")
        self._log(f"{self._order.owner} {why}. OFF was sent at once; {result}")
        return failure

    def _log(self, message: str) -> None:
        line = (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC guardian of {self._order.laser}: {message}"
        )
        for path in (self._order.log, self._pulse.beside):
            if path:
                with suppress(OSError), Path(path).open("a", encoding="utf-8") as log:
                    log.write(f"{line}\n")
        with suppress(OSError, ValueError):
            print(f"labdiff: {line}", file=sys.stderr, flush=True)


def _say(message: str) -> None:
    """Send a line to the owner, if it still lives."""
    with suppress(OSError, ValueError):
        os.write(1, f"{message}\n".encode("ascii", "replace"))


def _ignore_signals() -> None:
    for name, number in signal.Signals.__members__.items():
        if name in IGNORED:
            signal.signal(number, signal.SIG_IGN)


def _leave_family() -> None:
    """Leave the owner's children: some programs kill these when they end, as Ray's workers do."""
    if sys.platform != "win32" and os.fork():
        os._exit(0)


class _NumpyLeftOut(MetaPathFinder):
    """Refuses numpy, which pyvisa imports where it can, for arrays: half of the start and of the memory."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for numpy; leave any other module to the other finders.

        Args:
            fullname: of the module.
            path: of its package.
            target: module that it is to replace.
        """
        if fullname == "numpy":
            raise ModuleNotFoundError("a guardian needs no arrays", name=fullname)
        return None


def load_library(library: str) -> None:
    """Import all that a line needs before it is needed, and nothing heavy."""
    sys.meta_path.insert(0, _NumpyLeftOut())
    with suppress(Exception):  # what is wrong with the library shows when the line is opened
        import pyvisa

        pyvisa.ResourceManager(library)


def main() -> None:
    """Guard the laser of the order that comes first, until its owner has gone."""
    _ignore_signals()
    _leave_family()
    try:
        order = GuardOrder.from_line(sys.stdin.buffer.readline())
    except (ValueError, KeyError, TypeError):
        return
    pulse = OwnerPulse(sys.stdin.buffer, order.beside)
    load_library(order.line.library)
    _say(f"{READY} {os.getpid()}")
    Guardian(order, pulse).watch()


if __name__ == "__main__":
    main()
    # The thread that reads may wait for ever.
    os._exit(0)
