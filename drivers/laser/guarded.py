"""The owner's side of a laser's guardian: start it, keep its heart beating, release it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from drivers.errors import DeviceNotFoundError
from drivers.laser.guardian import BEAT, OFF, READY, RELEASE, RESULT, GuardOrder, beside_line
from drivers.laser.line import LaserLine
from drivers.own_process import detached, package_environment, python_command, runtime_folder

log = logging.getLogger(__name__)

LOG = "guardian.log"
"""Name of the files in which guardians report."""
BEAT_S = 0.25
"""Time between two heartbeats."""
READY_S = 30.0
"""Longest time in which a guardian has to start."""
RELEASE_S = 5.0
"""Longest time for which a guardian that was released is waited for."""
STARTS = 3
"""How often a guardian that has ended is started again, less one."""


def guardian_log() -> Path:
    """Return the file in which all guardians of this user report. Raises DeviceNotFoundError."""
    return runtime_folder() / LOG


class GuardedLine:
    """A laser's line under the eyes of a guardian, a process of its own, until `release`.

    Args:
        line: to the laser.
        laser: its name.
        on_switched_off: called, from a thread, with the reason when the guardian has switched it off.
        note: file that the guardian removes when it has confirmed that the laser is dark.

    Attributes:
        log_path: the file in which guardians report.

    Raises:
        DeviceNotFoundError: if no process can be started.
    """

    def __init__(
        self,
        line: LaserLine,
        laser: str,
        on_switched_off: Callable[[str], None],
        note: Path | None = None,
    ) -> None:
        self.log_path = guardian_log()
        owner = f"{Path(sys.argv[0]).name or 'python'} (process {os.getpid()})"
        log_name, note_name = str(self.log_path), str(note or "")
        self._order = GuardOrder(line, laser, owner, os.getpid(), log_name, note_name)
        self._on_switched_off = on_switched_off
        self._ready, self._released = threading.Event(), threading.Event()
        self._over = threading.Event()
        self._pid = 0
        self._process = self._start()
        for act, name in ((self._beat, "heartbeat"), (self._attend, "guardian")):
            threading.Thread(target=act, name=f"laser's {name}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Number of the guardian's process; 0 before it listens."""
        return self._pid

    def wait_until_ready(self) -> bool:
        """Wait until the guardian listens; return False if it does not, in good time."""
        return self._ready.wait(READY_S)

    def report_in(self, folder: Path) -> None:
        """Let the guardian report in `guardian.log` of a folder too, in place of the one before."""
        path = folder.absolute() / LOG
        self._order = replace(self._order, beside=str(path))
        with suppress(OSError, ValueError):
            _stdin(self._process).write(beside_line(str(path)))
        self.log_path = path

    def release(self, dark: bool) -> None:
        """Let the guardian go. Idempotent.

        Args:
            dark: the laser has confirmed that it is dark; else the guardian goes on to switch it off, also
                when this program has ended.
        """
        if self._released.is_set():
            return
        self._released.set()
        process = self._process
        with suppress(OSError, ValueError):
            if dark:
                _stdin(process).write(RELEASE)
            _stdin(process).close()
        if dark and not self._over.wait(RELEASE_S):
            log.warning("the laser's guardian, process %d, does not end", self._pid)

    def _start(self) -> subprocess.Popen[bytes]:
        # Its words reach a terminal also when this program has ended; a pipe it would keep open.
        terminal = sys.platform != "win32" and os.isatty(2)
        try:
            process = subprocess.Popen(
                python_command("drivers.laser.guardian"),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if terminal else subprocess.DEVNULL,
                env=package_environment(),
                **detached(),
            )
            _stdin(process).write(self._order.to_line())
        except OSError as error:
            raise DeviceNotFoundError(f"the laser's guardian cannot be started: {error}") from error
        return process

    def _beat(self) -> None:
        while not self._released.wait(BEAT_S):
            # A guardian that has ended is attended to by the other thread.
            with suppress(OSError, ValueError):
                _stdin(self._process).write(BEAT)

    def _attend(self) -> None:
        """Listen to the guardian; start another one if it ends."""
        for start in range(STARTS):
            process = self._process
            self._listen(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            if self._released.is_set():
                break
            log.error("the laser's guardian has ended: it was killed, or does not start")
            if start + 1 == STARTS or not self._start_again():
                log.error("the laser %s is NOT guarded any more", self._order.laser)
                break
        self._over.set()

    def _start_again(self) -> bool:
        try:
            self._process = self._start()
        except DeviceNotFoundError as error:
            log.error("%s", error)
            return False
        log.error("another guardian was started")
        return True

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(OSError, ValueError):
            for line in process.stdout or ():
                word, _, reason = line.decode("ascii", "replace").strip().partition(" ")
                if word == READY:
                    self._pid = int(reason)
                    self._ready.set()
                elif word == OFF:
                    self._on_switched_off(f"{reason} (it reports in {self.log_path})")
                    log.error("the laser's guardian switches it off: %s", reason)
                elif word == RESULT:
                    log.error("the laser's guardian: %s (%s)", reason, self.log_path)


def _stdin(process: subprocess.Popen[bytes]) -> IO[bytes]:
    """Return the pipe to a process. Raises ValueError if it has none."""
    if process.stdin is None:
        raise ValueError("it was started without a pipe")
    return process.stdin
