"""Lasers that are described by a TOML file: those in `profiles`, and a laboratory's own.

A file has a `title`, a `source` (manual or driver from which the commands are known), perhaps a `note` for
the reader, and a table `options` with fields of `ScpiDialect`. The table gives the defaults of
[laser.options] in the bench file.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, make_dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

from drivers.errors import DeviceNotFoundError, DeviceValueError
from drivers.laser.dialect import ScpiDialect
from drivers.laser.scpi import ScpiLaser
from drivers.options import checked_options
from drivers.settings import LaserSettings
from drivers.visa import LIBRARY

KEYS = ("title", "source", "note", "options")
LIBRARIES = (LIBRARY, "@ivi")
"""VISA libraries that a description may name: those that are installed on this computer."""
LARGEST_BYTES = 1_000_000
"""Size from which a file is no description of a laser."""


@dataclass(frozen=True, slots=True)
class LaserProfile:
    """What a file says of a laser.

    title: maker and model. source: of its commands. note: for the reader.
    """

    title: str
    source: str
    note: str
    dialect: ScpiDialect


def shipped_profile(name: str) -> LaserProfile:
    """Return one of the lasers that labdiff knows."""
    return _read(resources.files("drivers.laser.profiles") / f"{name}.toml", name)


def profile_of_file(path: Path) -> LaserProfile:
    """Read a laboratory's own description of a laser.

    Raises DeviceNotFoundError if there is no such file, DeviceValueError for a wrong key or value.
    """
    if not path.is_file():
        raise DeviceNotFoundError(
            f"{path.absolute()}: there is no such file; it describes the laser"
        )
    if path.stat().st_size > LARGEST_BYTES:
        raise DeviceValueError(f"{path}: is larger than any description of a laser")
    profile = _read(path, str(path))
    if profile.dialect.library not in LIBRARIES:
        raise DeviceValueError(
            f"{path}: options: library = {profile.dialect.library!r}: a description names no library to "
            f"load; allowed are {', '.join(LIBRARIES)}"
        )
    return profile


def _read(file: Traversable | Path, name: str) -> LaserProfile:
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise DeviceValueError(f"{name}: cannot be read as TOML: {error}") from None
    unknown = [key for key in given if key not in KEYS]
    options = given.get("options", {})
    if unknown or not isinstance(options, dict):
        raise DeviceValueError(
            f"{name}: {', '.join(unknown) or 'options'}: expected are {', '.join(KEYS)}, the last a table"
        )
    dialect = checked_options(f"{name}: options", ScpiDialect, options)
    title, source, note = (str(given.get(key, "")) for key in KEYS[:3])
    return LaserProfile(title, source, note, dialect)


def driver_of(profile: LaserProfile) -> type[ScpiLaser]:
    """Return the driver class of a laser: its options have the profile's values as defaults."""
    hints = get_type_hints(ScpiDialect, include_extras=True)
    known: list[tuple[str, Any, Any]] = [
        (name, hints[name], field(default=value)) for name, value in asdict(profile.dialect).items()
    ]
    dialect = make_dataclass("Dialect", known, bases=(ScpiDialect,), frozen=True)

    class ProfileLaser(ScpiLaser):
        Options: ClassVar[type[ScpiDialect]] = dialect

    ProfileLaser.__doc__ = f"{profile.title}."
    return ProfileLaser


@cache
def shipped_driver(name: str) -> type[ScpiLaser]:
    """Return the driver class of one of the lasers that labdiff knows."""
    return driver_of(shipped_profile(name))


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """file: path of the TOML file that describes the laser."""

    file: str


class OwnProfileLaser:
    """A laser of a laboratory's own TOML file."""

    Options: ClassVar[type[OwnProfile]] = OwnProfile

    @classmethod
    def from_settings(cls, settings: LaserSettings[OwnProfile]) -> ScpiLaser:
        """Connect to a VISA address. Raises DeviceNotFoundError, DeviceValueError, LaserMayBeOnError."""
        dialect = profile_of_file(Path(settings.options.file)).dialect
        return ScpiLaser.from_settings(
            LaserSettings(settings.address, settings.wavelength_nm, dialect)
        )
