"""The calibrations of one bench, a file each: nothing is overwritten; what failed is archived, not used."""

from __future__ import annotations

import io
import logging
import os
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py

from calibration.hdf5_reading import open_hdf5, read_group, read_number, read_text
from calibration.provenance import Provenance
from calibration.result import CalibrationError, OtherVersionError, Verdict
from calibration.result_file import (
    Result,
    ResultT,
    read_result,
    read_result_as,
    read_verdict,
    write_result,
)

log = logging.getLogger(__name__)

FORMAT = 2
"""Number of the files' format; one without a number is of format 1, which is read too."""


STEM_TIME = "%Y%m%dT%H%M%S"
"""Form of the time with which a file's name begins; microseconds follow it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A result in the archive. id: the file's name without its suffix; it begins with the time."""

    id: str
    path: Path
    result: Result
    provenance: Provenance

    @property
    def good(self) -> bool:
        """False for one that failed."""
        return self.result.verdict.level != "fail"


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """What a file says of its result, whatever the result's type.

    id: the file's name without its suffix. title: what the routine finds.
    """

    id: str
    title: str
    verdict: Verdict
    provenance: Provenance


class CalibrationArchive:
    """A folder of HDF5 files. Raises CalibrationError for a file that is not one of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, result: Result, provenance: Provenance) -> Stored:
        """Write a result, whole or not at all. Raises OSError if the disk does not take it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        image = io.BytesIO()
        with h5py.File(image, "w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["provenance"] = provenance.to_json()
            file.attrs["NX_class"] = "NXroot"
            file.attrs["default"] = "result"
            group = file.create_group("result")
            group.attrs["NX_class"] = "NXentry"
            write_result(group, result)
        working = self.folder / f".{uuid.uuid4().hex}.part"
        try:
            working.write_bytes(image.getvalue())
            path = self._placed(working, provenance)
        finally:
            working.unlink(missing_ok=True)
        return Stored(path.stem, path, result, provenance)

    def history(self, routine: str) -> list[Stored]:
        """Return all results of a routine, oldest first, failed ones too; not those of other versions."""
        return list(self._newest_first(routine))[::-1]

    def latest(self, routine: str) -> Stored | None:
        """Return the newest result that did not fail; None if there is none. Reads no older one.

        Raises CalibrationError for a damaged file that is newer than it.
        """
        return next((stored for stored in self._newest_first(routine) if stored.good), None)

    def newest_verdict(self, routine: str) -> StoredVerdict | None:
        """Return the newest verdict of a routine, without reading its result; None if there is none.

        Takes as long for an archive of years as for one of a day. A file of a newer version is left aside,
        with a warning. Raises CalibrationError if the newest file is damaged.
        """
        for path in reversed(self._files(routine)):
            try:
                return _read_verdict(path)
            except OtherVersionError as error:
                log.warning("left aside: %s", error)
            except Exception as error:  # whatever h5py raises about a damaged file
                raise _not_ours(path, error) from None
        return None

    def read(self, path: Path) -> Stored:
        """Read one file. Raises CalibrationError if it is damaged or of another program."""
        try:
            with open_hdf5(path) as file:
                _check_format(path, file)
                provenance = Provenance.from_json(read_text(file, "provenance"))
                result = read_result(read_group(file, "result"))
        except CalibrationError:
            raise
        except Exception as error:  # whatever h5py raises about a damaged file
            raise _not_ours(path, error) from None
        return Stored(path.stem, path, result, provenance)

    def results_of(self, kind: type[ResultT]) -> list[ResultT]:
        """Return all results of a type, oldest first, failed ones too.

        The type may be defined elsewhere, as that of a script. Raises CalibrationError for a damaged file.
        """
        found = []
        for path in self._files(kind.routine):
            try:
                with open_hdf5(path) as file:
                    _check_format(path, file)
                    found.append(read_result_as(read_group(file, "result"), kind))
            except OtherVersionError as error:
                log.warning("left aside: %s", error)
            except Exception as error:  # whatever h5py raises about a damaged file
                raise _not_ours(path, error) from None
        return found

    def newest_of_others(self, known: Collection[str]) -> dict[str, StoredVerdict]:
        """Return the newest verdict of each routine that is none of the known ones, by its name.

        A file that is no calibration is left aside, with a warning.
        """
        newest: dict[str, Path] = {}
        slugs = {_slug(name) for name in known}
        for path in sorted(self.folder.glob("*Z-*.h5")):
            slug = path.stem.partition("Z-")[2]
            if slug not in slugs:
                newest[slug] = path
        found: dict[str, StoredVerdict] = {}
        for path in newest.values():
            try:
                stored = _read_verdict(path)
            except Exception as error:  # whatever h5py raises about a damaged file
                log.warning("left aside: %s", _not_ours(path, error))
                continue
            if stored.provenance.routine not in known:
                found[stored.provenance.routine] = stored
        return found

    def _newest_first(self, routine: str) -> Iterator[Stored]:
        for path in reversed(self._files(routine)):
            try:
                yield self.read(path)
            except OtherVersionError as error:
                log.warning("left aside: %s", error)

    def _files(self, routine: str) -> list[Path]:
        return sorted(self.folder.glob(f"*Z-{_slug(routine)}.h5"))

    def _placed(self, working: Path, provenance: Provenance) -> Path:
        """Give a working file its name, which no other file has, not even one of this moment."""
        while True:
            path = self._free(provenance)
            try:
                os.link(working, path)
            except FileExistsError:
                continue  # another program took it in between
            except OSError:  # a file system without hard links
                working.replace(path)
            return path

    def _free(self, provenance: Provenance) -> Path:
        when = self._after_newest(provenance)
        while True:
            stem = f"{when:{STEM_TIME}}{when.microsecond:06d}Z-{_slug(provenance.routine)}"
            path = self.folder / f"{stem}.h5"
            if not path.exists():
                return path
            when += timedelta(microseconds=1)

    def _after_newest(self, provenance: Provenance) -> datetime:
        """Return the time that names a result: after those that are there, also on a clock set back."""
        taken = datetime.fromisoformat(provenance.taken_utc)
        if taken.tzinfo is None:
            taken = taken.replace(tzinfo=UTC)
        newest = max((_named_time(path) for path in self._files(provenance.routine)), default=taken)
        if newest <= taken:
            return taken
        log.warning(
            "%s: the newest %s is of %s UTC, later than now: was the clock set back? The new one is filed "
            "after it",
            self.folder,
            provenance.routine,
            f"{newest:%Y-%m-%d %H:%M:%S}",
        )
        return newest + timedelta(microseconds=1)


def _read_verdict(path: Path) -> StoredVerdict:
    """Read what a file says of its result, and nothing of the result itself."""
    with open_hdf5(path) as file:
        _check_format(path, file)
        about = Provenance.from_json(read_text(file, "provenance"))
        title, verdict = read_verdict(read_group(file, "result"))
    return StoredVerdict(path.stem, title, verdict, about)


def _named_time(path: Path) -> datetime:
    """Return the time in a result's name; the earliest there is for another name."""
    try:
        named = datetime.strptime(path.name.partition("Z-")[0], f"{STEM_TIME}%f")
    except ValueError:
        named = datetime.min
    return named.replace(tzinfo=UTC)


def _check_format(path: Path, file: h5py.File) -> None:
    """Raise OtherVersionError for a file of a newer format."""
    found = int(read_number(file, "format", 1))
    if found > FORMAT:
        raise OtherVersionError(
            f"{path}: written by a newer labdiff, format {found}; this one reads up to {FORMAT}"
        )


def _not_ours(path: Path, error: Exception) -> CalibrationError:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    return CalibrationError(
        f"{path}: not a calibration of this program ({why}). Move it out of the folder."
    )


def _slug(routine: str) -> str:
    return routine.replace(" ", "_")
