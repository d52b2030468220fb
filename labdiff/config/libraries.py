"""Libraries of makers that a bench file names: loaded only where this user has confirmed them.

To load a library is to run its code. A bench file comes by mail, and so does a run file with a bench in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labdiff.config.bench import BenchConfig
from labdiff.config.user_folder import add_line, read_lines
from labdiff.errors import UserError

FILE = "libraries.txt"
"""File of the confirmed libraries in the user's folder, one a line."""
VARIABLE = "LABDIFF_LIBRARIES"
"""Environment variable that confirms libraries too, separated as in PATH."""
KEYS = ("library", "sdk", "producer", "folder")
"""Options of drivers that name a library, or the folder of one."""
SUFFIXES = (".dll", ".so", ".dylib", ".cti", ".py", ".pyd")
"""Ends of the names of libraries and modules, whatever the option is called."""
HARMLESS = ("", "@py")
"""Values that load nothing but what is installed with labdiff."""


@dataclass(frozen=True, slots=True)
class NamedLibrary:
    """A library that a bench file names. key: as in the file. value: what it names, with its whole path."""

    key: str
    value: str

    @property
    def confirmed(self) -> bool:
        """Return whether this user has confirmed it on this computer."""
        given = os.environ.get(VARIABLE, "").split(os.pathsep)
        return self.value in {*read_lines(FILE), *(whole_path(value) for value in given if value)}

    def confirm(self) -> None:
        """Confirm it for this user on this computer. Raises UserError if that cannot be written down."""
        try:
            add_line(FILE, self.value)
        except OSError as error:
            raise UserError(f"{self.value}: cannot be noted: {error.strerror or error}") from None


def named_libraries(config: BenchConfig) -> list[NamedLibrary]:
    """Return the libraries that the options of a bench file name."""
    sections: dict[str, Mapping[str, Any]] = {
        "slm": config.slm.options,
        "input": config.input.options,
        "camera": config.camera.options,
        "laser": config.laser.options,
    }
    if config.shutter is not None:
        sections["shutter"] = config.shutter.options
    if config.meter is not None:
        sections["meter"] = config.meter.options
    found = []
    for section, options in sections.items():
        for name, value in _texts(options):
            key, leaf = f"{section}.options.{name}", name.rpartition(".")[2]
            if (leaf in KEYS and value not in HARMLESS) or (
                leaf not in KEYS and _loads(leaf, value)
            ):
                found.append(NamedLibrary(key, whole_path(value)))
    return found


def require_confirmed(config: BenchConfig) -> None:
    """Refuse a bench that names a library which this user has not confirmed.

    Raises:
        UserError: names the key, the library, and how to confirm it.
    """
    for library in named_libraries(config):
        if not library.confirmed:
            raise UserError(
                f"bench {config.name!r}: {library.key} = {library.value!r}: names a library, whose code "
                "would run, and which was not confirmed on this computer. If you trust it: labdiff "
                "libraries BENCH --confirm"
            )


def whole_path(value: str) -> str:
    """Return what a value names, its path absolute: "lib.so@ivi" in another folder is another library."""
    path, at, back_end = value.partition("@")
    return f"{os.path.realpath(Path(path).expanduser())}{at}{back_end}" if path else value


def _texts(options: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield all texts of options that may be nested, with their names."""
    for name, value in options.items():
        yield from _texts_of(value, before + name)


def _texts_of(value: object, name: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield name, value
        case Mapping():
            yield from _texts(value, f"{name}.")
        case list() | tuple():
            for each in value:
                yield from _texts_of(each, name)


def _loads(name: str, value: str) -> bool:
    """Return whether an option of another name loads a library: slmsuite's and Micro-Manager's may."""
    if name in (
        "sdk_path",
        "dll_path",
        "lib_path",
        "library_path",
        "sdk_dir",
        "lib_dir",
        "dll_dir",
    ):
        return True
    if value.lower().endswith(SUFFIXES) or ".so." in value.lower():
        return True
    return name == "adapter" and any(mark in value for mark in "/\\")
