"""Run `labdiff` as a user does: in a process of its own, or in this one.

A process of its own shows how a command starts, is interrupted and ends; everything else a command does
is the same in this process, at a tenth of the cost.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labdiff.cli.main import application, guarded

POLL_S = 0.1
STALLED_S = 600.0
"""Time without any sign of life after which a process counts as stuck; a slow one never does."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left: exit code, output, messages."""

    returncode: int
    stdout: str
    stderr: str


def labdiff(*arguments: object, cwd: Path) -> Ended:
    """Run a command in this process, in a folder of its own."""
    out, messages = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(messages),
    ):
        code = guarded(partial(application(), [str(each) for each in arguments]))
    return Ended(code, out.getvalue(), messages.getvalue())


class LabdiffProcess:
    """A command in a process of its own, waited for as long as it makes progress.

    folder: where it runs and writes. Progress is a change of any file below it, or output.
    """

    def __init__(self, *arguments: object, folder: Path) -> None:
        self._folder = folder
        self._out = (folder / "stdout.txt", folder / "stderr.txt")
        words = [sys.executable, "-m", "labdiff", *map(str, arguments)]
        with self._out[0].open("w") as out, self._out[1].open("w") as messages:
            self.process = subprocess.Popen(
                words,
                cwd=folder,
                stdout=out,
                stderr=messages,
                env={**os.environ, "PYTHONUTF8": "1"},
            )

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait until a condition holds. Raises AssertionError if the process ends or stalls before."""
        seen, since_s = self._progress(), time.monotonic()
        while not reached():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(POLL_S)
                assert reached(), f"ended too early: {self._ended()}"
                return
            progress = self._progress()
            if progress != seen:
                seen, since_s = progress, time.monotonic()
            elif time.monotonic() - since_s > STALLED_S:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"no progress for {STALLED_S:g} s: {self._ended()}")

    def wait(self) -> Ended:
        """Wait until the process ends, as long as it makes progress."""
        self.wait_until(lambda: self.process.poll() is not None)
        return self._ended()

    def _ended(self) -> Ended:
        out, messages = (path.read_text(encoding="utf-8") for path in self._out)
        return Ended(self.process.returncode, out, messages)

    def _progress(self) -> frozenset[tuple[str, int, int]]:
        found = set()
        for path in self._folder.rglob("*"):
            # A file may go between being listed and being asked.
            with contextlib.suppress(OSError):
                stat = path.stat()
                found.add((str(path), stat.st_size, stat.st_mtime_ns))
        return frozenset(found)
