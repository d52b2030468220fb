"""Give files and devices that processes share one owner at a time.

The owner holds a lock of the operating system, which ends with the process whatever ends it, and writes
beside it who it is. On a network drive without locks the heartbeat decides: an owner whose file
was not touched for half a minute counts as gone.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError

log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
"""Interval at which an owner touches its file."""
ASKED_S = 0.3
"""Time that taking a lock waits for somebody who only looks at it."""
STALE_S = 30.0
"""Age of a heartbeat beyond which an owner on another computer counts as gone."""


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """Who owns a file or a device: process number, computer, command, and since when (UTC, ISO 8601)."""

    process: int
    computer: str
    command: str
    since: str

    def describe(self) -> str:
        """Return a description of the owner, for messages."""
        since = self.since[:19].replace("T", " ")
        return f"{self.command} (process {self.process} on {self.computer}, since {since} UTC)"


class Owner:
    """Own a file until `release`, or for a `with` block; a second owner is refused.

    Args:
        path: what is owned; two small files stand beside it meanwhile.
        label: what messages call it, as "the run file runs/a/run.h5".

    Attributes:
        taken_over: the owner that had ended without releasing it; None if there was none.

    Raises:
        UserError: if another process owns it, with its description.

    Example:
        >>> with Owner(Path("runs/a/run.h5"), "the run file runs/a/run.h5"):
        ...     resume()
    """

    def __init__(self, path: Path, label: str) -> None:
        record_path = _record_path(path)
        lock = _locked(path, label)
        self.taken_over = read_record(record_path)
        try:
            _write_record(record_path)
        except OSError as error:
            lock.release()
            raise _unwritable(label, error) from None
        if self.taken_over is not None:
            log.warning(
                "%s: taken over from %s, which has ended without giving it back",
                label,
                self.taken_over.describe(),
            )
        stopped = threading.Event()
        heart = threading.Thread(
            target=_beat, args=(stopped, record_path), name="owner's heartbeat", daemon=True
        )
        heart.start()
        # Also where an owner is forgotten: the thread does not hold it.
        self._end = weakref.finalize(self, _release, stopped, heart, record_path, lock)

    def __enter__(self) -> Owner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others own it. Idempotent."""
        self._end()


def _release(
    stopped: threading.Event, heart: threading.Thread, record_path: Path, lock: BaseFileLock
) -> None:
    stopped.set()
    if heart is not threading.current_thread():
        heart.join()
    with suppress(OSError):
        record_path.unlink(missing_ok=True)
    lock.release()


def _write_record(path: Path) -> None:
    record = OwnerRecord(
        os.getpid(), socket.gethostname(), process_command(), datetime.now(UTC).isoformat()
    )
    write_atomically(path, json.dumps(asdict(record)).encode())


def _beat(stopped: threading.Event, record_path: Path) -> None:
    while not stopped.wait(HEARTBEAT_S):
        with suppress(OSError):
            os.utime(record_path)


def living_owner(path: Path) -> OwnerRecord | None:
    """Return who owns a file now; None if nobody does, or its owner has ended."""
    record = read_record(_record_path(path))
    if record is None:
        return None
    if record.computer == socket.gethostname():
        try:
            lock = _lock(path)
            lock.acquire(timeout=0)
        except Timeout:
            return record
        except OSError:
            return record if _is_fresh(path) else None
        lock.release()
        return None
    return record if _is_fresh(path) else None


def read_record(path: Path) -> OwnerRecord | None:
    """Return the owner that a file names; None if there is no file, or it is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return OwnerRecord(
            int(values["process"]),
            *(
                "".join(c for c in str(values[k]) if c.isprintable())[:200]
                for k in ("computer", "command", "since")
            ),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _locked(path: Path, label: str) -> BaseFileLock:
    """Return the acquired lock. Raises UserError if another process holds it, or it cannot be made."""
    lock = _lock(path)
    try:
        # Who only asks whether there is an owner holds the lock for a moment.
        lock.acquire(timeout=ASKED_S, poll_interval=0.02)
        return lock
    except Timeout:
        owner = read_record(_record_path(path))
        held_by = owner.describe() if owner else "another process"
        raise UserError(
            f"{label}: is in use by {held_by}; wait until it has ended, or end it"
        ) from None
    except NotImplementedError:  # a file system without locks: the heartbeat decides
        return _locked_by_heartbeat(path, label)
    except OSError as error:
        raise _unwritable(label, error) from None


def _unwritable(label: str, error: OSError) -> UserError:
    return UserError(
        f"{label}: cannot be written beside it who uses it: {error.strerror or error}; choose a folder "
        "you may write to, on a disk with free space"
    )


def _locked_by_heartbeat(path: Path, label: str) -> BaseFileLock:
    owner = read_record(_record_path(path))
    if owner is not None and _is_fresh(path):
        raise UserError(
            f"{label}: is in use by {owner.describe()}; wait until it has ended, or end it"
        )
    place = _lock_path(path)
    place.unlink(missing_ok=True)
    soft = SoftFileLock(place)
    try:
        soft.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{label}: is in use by another process") from None
    return soft


def _is_fresh(path: Path) -> bool:
    try:
        age_s = time.time() - _record_path(path).stat().st_mtime
    except OSError:
        return False
    # A clock that was set back makes the heartbeat lie in the future.
    return abs(age_s) < STALE_S


def _lock(path: Path) -> BaseFileLock:
    return FileLock(_lock_path(path), thread_local=False, is_singleton=False)


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _record_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.owner")


def process_command() -> str:
    """Return the command of this process, short."""
    name, *arguments = sys.argv or ["python"]
    return " ".join([Path(name).stem, *arguments])[:120]
