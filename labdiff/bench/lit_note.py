"""A note on the disk that a laser is lit: the next program finds it if nothing was left to switch it off.

It is written before the laser goes on, and removed when it is confirmed dark: by its program, by its
guardian, or by the next program that opens it. It stands in the folder of this user's settings, which a
restart of the computer does not empty.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from drivers.plain_text import plain_line
from labdiff.atomic_write import digest, write_atomically
from labdiff.config.bench import LaserConfig
from labdiff.config.user_folder import user_folder
from labdiff.errors import UserError
from labdiff.owner import Owner, living_owner, process_command

log = logging.getLogger(__name__)

PREFIX, SUFFIX = "lit-", ".json"
"""Beginning and end of a note's name; between them stand what reaches the laser and the process."""


@dataclass(frozen=True, slots=True)
class LeftLit:
    """A laser that was lit when its program ended, and that nothing has confirmed dark since.

    path: the note. laser: its name. place: driver and address. program: which ended, as messages call it.
    guardian_log: file in which its guardian reported, "" if it had none.
    """

    path: Path
    laser: str
    place: str
    program: str
    guardian_log: str

    def describe(self) -> str:
        """Return a line for a person: what may be on, since when, and what to do."""
        reports = f" Its guardian reports in {self.guardian_log}." if self.guardian_log else ""
        return (
            f"the laser may be ON: {self.laser} ({self.place}): {self.program} has ended, and nothing has "
            f"confirmed that it is dark. Opening its bench switches it off: labdiff bench check BENCH.toml."
            f"{reports} If you have switched it off by hand: delete {self.path}"
        )


class LitNote:
    """The note of one laser of this process.

    Args:
        place: driver and address of the laser, by which another program finds it.
        laser: its name.
        guardian_log: file in which its guardian reports, "" if it has none.
    """

    def __init__(self, place: str, laser: str, guardian_log: str) -> None:
        self._values = {"place": place, "laser": laser, "guardian_log": guardian_log}
        self.path = user_folder() / f"{_prefix(place)}{os.getpid()}{SUFFIX}"
        self._owner: Owner | None = None

    def write(self) -> None:
        """Note that the laser is about to be lit; what cannot be written is logged. Idempotent."""
        if self._owner is not None and self.path.exists():
            return
        now = datetime.now(UTC)
        program = (
            f"{process_command()} (process {os.getpid()} on {socket.gethostname()}, which had it lit since "
            f"{now:%Y-%m-%d %H:%M:%S} UTC)"
        )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Owned first: who finds the note sees then that its program lives.
            self._owner = self._owner or Owner(self.path, f"the note {self.path}")
            content = json.dumps(self._values | {"program": program})
            write_atomically(self.path, content.encode())
            _sweep(self.path.parent)
        except (OSError, UserError) as error:
            log.warning("it cannot be noted that the laser is lit: %s", error)

    def remove(self) -> None:
        """Note that the laser is confirmed dark. Idempotent."""
        _remove(self.path)
        if self._owner is not None:
            self._owner.release()
            self._owner = None


def laser_place(laser: LaserConfig) -> str:
    """Return a laser's driver and address, for messages before it has a name, and for its notes."""
    return f"laser {laser.driver} {laser.address or ''}".rstrip()


def lasers_left_lit(place: str = "") -> list[LeftLit]:
    """Return the lasers whose program has ended with them lit; with a place, those notes alone."""
    found = []
    for path in sorted(user_folder().glob(f"{_prefix(place) if place else PREFIX}*{SUFFIX}")):
        try:
            # Read first: a program that puts its note away meanwhile has confirmed that it is dark.
            values = json.loads(path.read_text(encoding="utf-8"))
            if living_owner(path) is None and path.exists():
                names = ("laser", "place", "program", "guardian_log")
                found.append(LeftLit(path, *(plain_line(values[name], 200) for name in names)))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def forget_left_lit(place: str) -> None:
    """Remove the notes of ended programs on a laser that is confirmed dark, and say what they said."""
    for each in lasers_left_lit(place):
        log.warning("%s was left lit by %s; it is dark now", each.laser, each.program)
        _remove(each.path)


def _sweep(folder: Path) -> None:
    """Remove what killed programs have left beside notes that their guardians removed."""
    for record in folder.glob(f".{PREFIX}*{SUFFIX}.owner"):
        note = record.with_name(record.name[1 : -len(".owner")])
        if not note.exists() and living_owner(note) is None:
            _remove(record)
            _remove(record.with_suffix(".lock"))


def _prefix(place: str) -> str:
    return f"{PREFIX}{digest(place)[:16]}-"


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
