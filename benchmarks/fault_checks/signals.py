"""Signals to every program that holds a laser: the laser's own log says when it is dark."""

from __future__ import annotations

import itertools
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.claims import claim
from benchmarks.fault_checks.lit_bench import lit_bench
from benchmarks.fault_checks.programs import (
    START_S,
    Starter,
    bench_process,
    command,
    server,
    server_bench,
    unignored,
    window,
)
from benchmarks.parts import NotPossibleError, Outcome, Setting
from labdiff.workers.ray_runtime import has_ray

TRIES = 100
WITHIN_S = 2.0
WAIT_S = 30.0
"""Longest time that is waited for a dark laser."""
AT_WORK_S = 0.3
"""Time from the light to the signal."""
AT_ONCE = 2
"""Number of signals that are measured at the same time: most of it is waiting for programs to start."""
ONE_SERVER = threading.Lock()
"""Held while a server is measured: two first nodes of Ray want the same ports."""
STARTS = 4
"""How often a program is started whose laser is not on when the signal is to be sent."""
SIGNALS = ("SIGKILL", "SIGTERM", "SIGTSTP", "SIGINT", "SIGQUIT", "SIGHUP")


class DarkTooSoonError(Exception):
    """A trial that says nothing: the laser was not on when the signal was to be sent."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A process that a signal is sent to.

    start: starts its program. lit: how often the laser has to go on until it is at work. grouped: the
    signal may also be sent to its group.
    """

    name: str
    start: Starter
    lit: int
    grouped: bool = True


COMMANDS = (
    Receiver("calibrate", command("calibrate", "--out", "cal"), 2),
    Receiver("train", command("train", "--out", "run"), 1),
)
WINDOWS = (
    Receiver("window", window, 1),
    Receiver("window's bench process", bench_process, 1, grouped=False),
)
SERVERS = (
    Receiver("server", server, 1),
    Receiver("server's bench process", server_bench, 1, grouped=False),
)
EVERY = (*COMMANDS, *WINDOWS, *SERVERS)
NO_GROUP = (
    "it belongs to the group of the program that started it, or to Ray's: no group of its own"
)
"""Why a signal to the group of some processes is no cell."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One signal.

    dark_s: from it to the dark laser; None if it stayed on. left: guardians that stayed. void: why the
    laser was not lit when the signal was due; "" if it was.
    """

    what: str
    dark_s: float | None
    left: int
    void: str = ""


def measure(setting: Setting) -> Outcome:
    """Send each signal to each process and to its group, again and again."""
    if not Path("/proc").is_dir() or sys.platform == "win32":
        raise NotPossibleError("signals and their receivers are measured on Linux")
    receivers = setting.amount("programs", smoke=1, quick=2, full=6)
    chosen = (COMMANDS[0], *WINDOWS[1:], COMMANDS[1], WINDOWS[0], *SERVERS)[:receivers]
    if not has_ray():
        setting.leave_out("signals to the bench server: Ray is not installed")
        chosen = tuple(each for each in chosen if each not in SERVERS)
    names = SIGNALS[: setting.amount("signals", smoke=1, quick=3, full=len(SIGNALS))]
    cells = [
        (receiver, name, to_group)
        for to_group in (False, True)
        for name in names
        for receiver in chosen
        if receiver.grouped or not to_group
    ]
    count = setting.amount("signals sent", smoke=1, quick=6, full=TRIES)
    with unignored(), ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [
            pool.submit(_sent, *cell, setting)
            for cell in itertools.islice(itertools.cycle(cells), count)
        ]
        trials = [each.result() for each in sent]
    return outcome(trials)


def _sent(receiver: Receiver, name: str, to_group: bool, setting: Setting) -> Trial:
    """Send a signal; again where the laser was dark before: a computer that is busy loses heartbeats.

    One whose laser is never lit when the signal is due is void, and says why.
    """
    void = ""
    began_s = time.monotonic()
    for _ in range(STARTS):
        try:
            with ONE_SERVER if receiver in SERVERS else nullcontext():
                found = send(receiver, name, to_group)
            took_s = time.monotonic() - began_s
            setting.say(f"  {found.what}: {found.dark_s} s (took {took_s:.0f} s)")
            return found
        except DarkTooSoonError as error:
            void = str(error)
            setting.say(f"  {void}; started again")
    return Trial(_cell(receiver, name, to_group), None, 0, void)


def _cell(receiver: Receiver, name: str, to_group: bool) -> str:
    return f"{name} to {receiver.name}, {'group' if to_group else 'process'}"


def outcome(trials: list[Trial]) -> Outcome:
    """Return the claims of trials, and the cells that are void with the reason."""
    void = {trial.what: trial.void for trial in trials if trial.void}
    void |= {f"{receiver.name}, group": NO_GROUP for receiver in EVERY if not receiver.grouped}
    count = len(trials)
    dark = [trial.dark_s for trial in trials if trial.dark_s is not None]
    in_time = sum(each <= WITHIN_S for each in dark)
    claims = [
        claim(
            f"signals after which the laser was dark within {WITHIN_S:g} s", in_time, f">= {count}"
        ),
        claim(
            "longest time from a signal to the dark laser, s",
            max(dark, default=1e9),
            f"<= {WITHIN_S}",
        ),
        claim("guardians that outlived their program", sum(t.left for t in trials), "<= 0"),
    ]
    slow = [t.what for t in trials if t.dark_s is None or t.dark_s > WITHIN_S]
    by_receiver: dict[str, list[float | None]] = {}
    for trial in trials:
        by_receiver.setdefault(trial.what, []).append(trial.dark_s)
    return Outcome(claims, {"too_late": slow, "void": void, "seconds": by_receiver})


def send(receiver: Receiver, name: str, to_group: bool) -> Trial:
    """Start a program, wait until its laser is on, send a signal, and wait until the laser is off.

    Raises DarkTooSoonError if there is no light when the signal is to be sent.
    """
    with tempfile.TemporaryDirectory() as folder, lit_bench(Path(folder)) as bench, unignored():
        program = receiver.start(bench)
        # What it prints is of no interest, but a full pipe would stop it.
        threading.Thread(target=program.process.communicate, daemon=True).start()
        try:
            if not bench.wait_until_lit(receiver.lit, START_S):
                raise DarkTooSoonError(f"{receiver.name}: its laser does not go on")
            time.sleep(AT_WORK_S)
            if not bench.laser.on:
                raise DarkTooSoonError(f"{receiver.name}: its laser went off before the signal")
            sent_s = time.monotonic()
            program.send(getattr(signal, name), to_group)
            dark = bench.wait_until_dark(WAIT_S)
            dark_s = round(max(bench.laser.changed_s - sent_s, 0.0), 3) if dark else None
        finally:
            left = program.end()
    return Trial(_cell(receiver, name, to_group), dark_s, left)
