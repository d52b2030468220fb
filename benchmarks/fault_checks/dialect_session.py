"""One session with a laser of a dialect: random operations, then an end; the laser's own log decides."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from uuid import uuid4

from benchmarks.children import environment, python
from benchmarks.fault_checks.dialect_command import DARK, ERRORS, OPERATIONS, RAISE
from benchmarks.fault_checks.dialect_laser import DialectBench, Manner
from benchmarks.fault_checks.programs import GUARDIAN, MARK, Program
from benchmarks.posix_calls import KILL, stop_program
from labdiff.cli.main import EXIT_MAY_BE_ON

COMMAND, WINDOW = "command", "window"
FIRST = "labdiff: the laser may be ON"
"""Beginning of what the next command says first."""
ANSWERS_WITHIN_S = 60.0
"""Longest time for an answer of a program."""
ENDS_WITHIN_S = 60.0
"""Longest time in which a program that was asked to end has to."""
DARK_WITHIN_S = 20.0
"""Longest time that is waited for a dark laser."""
MOST_OPERATIONS = 6
MOMENT_S = 0.08
"""Longest time from the last operation to the end: the end comes in its middle."""
WINDOWS_OPERATIONS = ("on", "off", "power", "safe", "close")
ENDS = {
    COMMAND: (
        "SIGTERM", "SIGKILL", "exception", "SIGINT", "SIGKILL of all", "its own end", "SIGHUP",
        "SIGKILL of the guardian, then of it",
    ),
    WINDOW: (
        "SIGKILL", "SIGKILL of the bench's process", "SIGTERM to the bench's process",
        "SIGTERM", "SIGKILL of all", "its own end",
    ),
}  # fmt: skip
"""How a session ends, by its program."""
RELIGHT = {COMMAND: ("safe", "release", "on"), WINDOW: ("connect", "on")}
"""Operations after which the laser is lit, unless a command has closed its bench."""
WITH_LIGHT, DARKENING = ("on", "power"), 0.3
"""Last operations that leave the light on, and the share of sessions whose last one may be any."""
MANNERS: tuple[Manner, ...] = ("polite", "polite", "polite", "mute", "garbage", "hung up", "stuck")
NOBODY_LEFT = "SIGKILL of all"


@dataclass(slots=True)
class Session:
    """What came of one session.

    dark_s: from its end to the dark laser; None if it stayed lit. left: a process was left to switch it
    off, and the laser obeys. false_safes: reports that the laser is dark while its log said that it is lit.
    first: the next command said first that it may be on; None if nothing was to be said.
    """

    what: str
    left: bool
    lit: bool = False
    dark_s: float | None = None
    false_safes: list[str] = field(default_factory=list)
    first: bool | None = None


class Steered:
    """The program of a session: lines go in, lines come out."""

    def __init__(self, kind: str, bench: DialectBench) -> None:
        self._errors = (bench.folder / "errors.txt").open("w+", encoding="utf-8")
        mark = uuid4().hex
        self.variables = {
            MARK: mark,
            "LABDIFF_RUNTIME": str(bench.folder),
            "LABDIFF_CONFIG": str(bench.folder / "settings"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.fault_checks.dialect_{kind}", str(bench.file)],
            env=environment(**self.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        self.program = Program(self.process, self.process.pid, mark)
        self._answers: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._answers.put(line.strip())
        self._answers.put("")

    def answer(self) -> str:
        """Return the next line; "" if the program has ended or does not answer."""
        try:
            return self._answers.get(timeout=ANSWERS_WITHIN_S)
        except Empty:
            return ""

    def ask(self, line: str) -> None:
        """Send a line; a program that has ended does not get it."""
        with suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.write(f"{line}\n")
                self.process.stdin.flush()

    def let_end(self) -> None:
        """End the lines that it reads."""
        with suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.close()

    def errors(self) -> str:
        """Return what it has printed to standard error."""
        self._errors.seek(0)
        return self._errors.read()

    def end(self) -> None:
        """Kill what is left of it, but guardians, which end by themselves."""
        self.let_end()
        self.program.end()
        self._errors.close()
        if self.process.stdout is not None:
            self.process.stdout.close()


def run_session(kind: str, end: str, bench: DialectBench, chance: random.Random) -> Session:
    """Run one session; return what came of it.

    Args:
        kind: command or window.
        end: one of `ENDS`.
        bench: whose laser speaks its dialect.
        chance: of operations, manners and moments.
    """
    manner = chance.choice(MANNERS)
    found = Session(f"{kind}, {end}, {manner}", end != NOBODY_LEFT and manner != "stuck")
    steered = Steered(kind, bench)
    try:
        receiver = int(steered.answer() or 0) if kind == WINDOW else steered.process.pid
        if not receiver or not steered.answer():
            raise RuntimeError(f"{found.what}: its program does not start: {steered.errors()}")
        _operate(steered, kind, bench, chance, found)
        for name in RELIGHT[kind]:
            steered.ask(name)
            steered.answer()
        bench.behave(manner)
        names = list(OPERATIONS if kind == COMMAND else WINDOWS_OPERATIONS)
        # Most ends come with light, in the middle of an operation.
        steered.ask(chance.choice(names if chance.random() < DARKENING else WITH_LIGHT))
        time.sleep(chance.uniform(0.0, MOMENT_S))
        found.lit = bench.laser.on
        ended_s = _end(steered, end, receiver, chance)
        _watch(steered, bench, end, ended_s, found)
    finally:
        bench.behave("polite")
        steered.end()
    _check_guardians_log(bench, found)
    return found


def _operate(
    steered: Steered, kind: str, bench: DialectBench, chance: random.Random, found: Session
) -> None:
    """Let the program do random things; compare each of its reports with the laser's own log."""
    names = list(OPERATIONS) if kind == COMMAND else [*WINDOWS_OPERATIONS]
    for _ in range(chance.randrange(MOST_OPERATIONS)):
        name = chance.choice([*names, "on", "on"])
        if name == "close" and chance.random() < 0.8:
            continue  # after it the bench stays dark
        steered.ask(name)
        answer = steered.answer()
        if answer == DARK and bench.laser.on:
            found.false_safes.append(f"after {name}")
        if not answer:
            return


def _end(steered: Steered, end: str, receiver: int, chance: random.Random) -> float:
    """Bring about the end of a session; return when, monotonic."""
    program = steered.program
    guardians = program.pids(GUARDIAN)
    if end == NOBODY_LEFT:
        # Who stands still starts no other guardian; a guardian that lived longer would act.
        owners = [receiver, steered.process.pid]
        for owner in owners:
            with suppress(ProcessLookupError):
                stop_program(owner)
        _send(KILL, [*program.pids(GUARDIAN), *owners])
        return time.monotonic()
    if end.startswith("SIGKILL of the guardian"):
        _send(KILL, guardians)
        until_s = time.monotonic() + ANSWERS_WITHIN_S
        while not set(program.pids(GUARDIAN)) - set(guardians) and time.monotonic() < until_s:
            if steered.process.poll() is not None:
                break
            time.sleep(0.01)
        _send(KILL, [receiver])
        return time.monotonic()
    began_s = time.monotonic()
    if end == "exception":
        steered.ask(f"{RAISE} ! {chance.choice(list(ERRORS))}")
    elif end == "its own end":
        steered.let_end()
    else:
        number = getattr(signal, end.split()[0])
        _send(number, [receiver if "bench's process" in end else steered.process.pid])
    if end in ("SIGTERM", "SIGINT", "SIGHUP"):
        steered.let_end()  # its next event, at which it ends
    return began_s


def _send(number: int, pids: list[int]) -> None:
    for pid in dict.fromkeys(pids):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _watch(steered: Steered, bench: DialectBench, end: str, ended_s: float, found: Session) -> None:
    """Wait for the dark laser, and look at what is said when the program has ended."""
    stuck = bench.laser.stuck
    if end == NOBODY_LEFT:
        steered.process.wait()
        _next_command(steered, bench, found)
        bench.behave("polite")
        _opened_next(steered, bench, found)
        return
    if not stuck and bench.dark_within(DARK_WITHIN_S):
        found.dark_s = round(max(bench.laser.changed_s - ended_s, 0.0), 3)
    with suppress(subprocess.TimeoutExpired):
        steered.let_end()
        code = steered.process.wait(ENDS_WITHIN_S)
        warned = code == EXIT_MAY_BE_ON or "may be ON" in steered.errors()
        # Who was ended by a signal has reported nothing; whoever ends by itself says what it knows.
        if code >= 0 and not warned and bench.laser.on and COMMAND in found.what:
            found.false_safes.append(f"exit code {code}, and no warning")
    if stuck and bench.laser.on:
        _next_command(steered, bench, found)


def _next_command(steered: Steered, bench: DialectBench, found: Session) -> None:
    """Run another command; its first line has to be that the laser may be on, if it is."""
    done = python("-m", "labdiff", "libraries", "mock", variables=steered.variables)
    if bench.laser.on:
        found.first = done.stderr.startswith(FIRST)


def _opened_next(steered: Steered, bench: DialectBench, found: Session) -> None:
    """Run the command that opens the bench next: it says the same first, and leaves the laser dark."""
    lit = bench.laser.on
    opening = subprocess.run(
        [sys.executable, "-m", "benchmarks.fault_checks.dialect_command", str(bench.file)],
        env=environment(**steered.variables),
        input="",
        capture_output=True,
        text=True,
    )
    if lit:
        found.first = bool(found.first) and opening.stderr.startswith(FIRST)
    if bench.laser.on and opening.returncode != EXIT_MAY_BE_ON:
        found.false_safes.append("the next command that opens it")
    after = python("-m", "labdiff", "libraries", "mock", variables=steered.variables)
    if lit and not bench.laser.on and FIRST in after.stderr:
        found.first = False  # what is over is not said again


def _check_guardians_log(bench: DialectBench, found: Session) -> None:
    """Compare the last report of the guardians, which have ended, with the laser's log."""
    path = Path(bench.folder, "guardian.log")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if lines and "; confirmed dark" in lines[-1] and bench.laser.on:
        found.false_safes.append("its guardian")
