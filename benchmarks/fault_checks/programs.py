"""Programs of labdiff that hold a lit laser, each in a session of its own, and what is left of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from benchmarks.children import environment
from benchmarks.fault_checks.lit_bench import LitBench
from benchmarks.posix_calls import KILL, send_to_group
from labdiff.jobs.signal_listener import stopping_signals

MARK = "LABDIFF_TRIAL"
"""Environment variable by which all descendants of a program are found, also those that left its group."""
START_S = 240.0
"""Longest time in which a program has to switch the laser on."""
GUARDIAN = "drivers.laser.guardian"
ENDS_S = 60.0
"""Longest time for which a guardian may outlive its program: an instrument that does not answer."""


@dataclass(slots=True)
class Program:
    """A program that runs. receiver: the process that a signal is sent to. mark: of its descendants."""

    process: subprocess.Popen[str]
    receiver: int
    mark: str
    more: list[subprocess.Popen[str]] = field(default_factory=list)

    def pids(self, words: str = "") -> list[int]:
        """Return its processes and all that they started; with words, those whose command has them."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            with suppress(OSError):
                marked = f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if marked and words in command:
                    found.append(int(folder.name))
        return found

    def send(self, number: int, to_group: bool) -> None:
        """Send a signal to the process, or to the group of the whole program."""
        if to_group:
            send_to_group(self.process.pid, number)
        else:
            os.kill(self.receiver, number)

    def end(self) -> int:
        """Kill what still runs but the guardians; return how many of these do not end by themselves."""
        guardians = set(self.pids(GUARDIAN))
        for pid in set(self.pids()) - guardians:
            with suppress(ProcessLookupError):
                os.kill(pid, KILL)
        for process in (self.process, *self.more):
            process.wait()
        until_s = time.monotonic() + ENDS_S
        while self.pids(GUARDIAN) and time.monotonic() < until_s:
            time.sleep(0.05)
        left = self.pids()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, KILL)
        return len(left)


Starter = Callable[[LitBench], Program]


def command(*arguments: str) -> Starter:
    """Return what starts a command of labdiff on a bench."""

    def start(bench: LitBench) -> Program:
        return _start(bench, "labdiff", *arguments, "--bench", str(bench.file))

    return start


def window(bench: LitBench) -> Program:
    """Start the window; the signal goes to it."""
    program = _start(bench, "benchmarks.fault_checks.lit_window", str(bench.file))
    _line(program.process)
    return program


def bench_process(bench: LitBench) -> Program:
    """Start the window; the signal goes to its bench's process."""
    program = _start(bench, "benchmarks.fault_checks.lit_window", str(bench.file))
    program.receiver = int(_line(program.process).split()[1])
    return program


def server(bench: LitBench) -> Program:
    """Serve the bench to a client that has it lit; the signal goes to the server's command."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = _start(bench, "labdiff", "bench", "serve", str(bench.file), "--port", str(port))
    for line in program.process.stdout or ():
        if "free, at rest" in line:
            break
    address = f"127.0.0.1:{port}"
    client = _start(bench, "benchmarks.fault_checks.lit_client", address, mark=program.mark)
    program.more.append(client.process)
    return program


def server_bench(bench: LitBench) -> Program:
    """Serve the bench; the signal goes to the process in which the server has it open."""
    program = server(bench)
    (program.receiver,) = program.pids("ray::BenchActor")
    return program


def _start(bench: LitBench, module: str, *arguments: str, mark: str = "") -> Program:
    mark = mark or uuid4().hex
    folder = bench.file.parent
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment(
            **{MARK: mark, "LABDIFF_RUNTIME": str(folder), "QT_QPA_PLATFORM": "offscreen"},
            PYTHONUNBUFFERED="1",
            COLUMNS="200",
            HOME=str(folder),
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    return Program(process, process.pid, mark)


def _line(process: subprocess.Popen[str]) -> str:
    """Return the line "bench PID" of a window's output."""
    for line in process.stdout or ():
        if line.startswith("bench "):
            return line
    raise RuntimeError("the window has ended before its laser was on")


@contextmanager
def unignored() -> Iterator[None]:
    """Let children have the signals that this process ignores, as one that was started with nohup does.

    In another thread than the main one, which alone may do so, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in stopping_signals()}
    ignored = [each for each, handler in before.items() if handler is signal.SIG_IGN]
    for each in ignored:
        signal.signal(each, signal.SIG_DFL)
    try:
        yield
    finally:
        for each in ignored:
            signal.signal(each, signal.SIG_IGN)
