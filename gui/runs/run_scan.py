"""All run files and recordings below a folder; they are read again only when they have changed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from gui.live.frames_file import describe_recording
from labdiff.errors import UserError
from labdiff.owner import living_owner
from labdiff.runs.reader import DIED, RUNNING
from labdiff.runs.summary import RunSummary, read_summary

MOST_FILES = 5000
GONE = "gone"
UNREADABLE = "unreadable"
RECORDING = "recording"
FRAMES = "frames"
"""Folder of recordings of the live view; a TIFF file elsewhere is none of ours."""


class RunScan:
    """Scans one folder; used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Path, tuple[tuple[int, int] | None, RunSummary]] = {}

    def scan(self) -> list[RunSummary]:
        """Return what lies in the folder now; files of earlier scans that are not there have gone.

        Raises:
            UserError: If the folder cannot be read.
        """
        found = self._files()
        for path, stamp in found.items():
            if path not in self._known or self._known[path][0] != stamp or self._changed(path):
                self._known[path] = (stamp, _summary(path))
        for path in self._known.keys() - found.keys():
            before = self._known[path][1]
            message = "the file was deleted or moved"
            self._known[path] = (None, replace(before, outcome=GONE, problem=message))
        return [self._known[path][1] for path in sorted(self._known)]

    def _changed(self, path: Path) -> bool:
        """Return whether the program of a run has ended since, without a word in its file, or begun."""
        outcome = self._known[path][1].outcome
        return outcome in (RUNNING, DIED) and (living_owner(path) is None) != (outcome == DIED)

    def stamp(self, path: Path) -> tuple[int, int] | None:
        """Return a value that changes when the file does; None if the file has gone."""
        return self._known[path][0] if path in self._known else None

    def _files(self) -> dict[Path, tuple[int, int]]:
        try:
            os.scandir(self.folder).close()
        except OSError as error:
            raise UserError(
                f"{self.folder}: cannot be read: {error.strerror or error}. Choose another folder."
            ) from None
        found: dict[Path, tuple[int, int]] = {}
        for where, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not _ignored(name))
            for name in names:
                endings = (".h5", ".tif") if Path(where).name == FRAMES else (".h5",)
                if not name.endswith(endings) or len(found) == MOST_FILES:
                    continue
                path = Path(where, name)
                try:
                    status = path.stat()
                except OSError:
                    continue  # deleted since it was listed
                found[path] = (status.st_mtime_ns, status.st_size)
        return found


def _ignored(folder: str) -> bool:
    """Return whether a folder contains no runs: it is hidden, or an archive of calibrations."""
    return folder.startswith(".") or folder == "calibration" or folder.endswith(".calibration")


def _summary(path: Path) -> RunSummary:
    try:
        return read_summary(path)
    except UserError as error:
        recording = describe_recording(path)
        if recording is not None:
            metadata, found = recording
            return RunSummary(path, metadata.start_time, RECORDING, found, bench=metadata.bench)
        message = str(error).removeprefix(f"{path}: ")
        return RunSummary(path, outcome=UNREADABLE, problem=message)
