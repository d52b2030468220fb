"""Drivers that other installed packages bring, by their entry points in the group `labdiff.drivers`.

A package declares `"camera.mylab" = "mylab.camera:MyCamera"` there: kind and name, module and class. Only
what is installed is ever loaded; a file cannot name a module.
"""

from __future__ import annotations

from importlib import metadata
from typing import Any

from drivers.driver import Driver
from drivers.errors import DeviceNotFoundError

GROUP = "labdiff.drivers"
"""Entry points of driver classes, named "kind.name"."""
SEARCHES = "labdiff.discovery"
"""Entry points of functions for `labdiff devices`; each returns `Attached` records."""


def installed(kind: str) -> dict[str, list[metadata.EntryPoint]]:
    """Return the entry points of a kind by driver name; more than one where packages clash."""
    found: dict[str, list[metadata.EntryPoint]] = {}
    for entry in all_installed():
        of_kind, _, name = entry.name.partition(".")
        if of_kind == kind and name:
            found.setdefault(name, []).append(entry)
    return found


def all_installed(group: str = GROUP) -> list[metadata.EntryPoint]:
    """Return every entry point of a group, in the order of their names."""
    return sorted(metadata.entry_points(group=group), key=lambda entry: entry.name)


def package_of(entry: metadata.EntryPoint) -> str:
    """Return name and version of the package that declares an entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package without a name"


def load(entries: list[metadata.EntryPoint]) -> Any:
    """Import the driver class of a name.

    Raises DeviceNotFoundError if two packages declare it, if it does not load, or if it is no driver.
    """
    entry, *others = entries
    called = f"driver {entry.name!r} ({entry.value} of {package_of(entry)})"
    if others:
        packages = ", ".join(package_of(one) for one in entries)
        raise DeviceNotFoundError(
            f"driver {entry.name!r} is declared by {packages}; uninstall all but one"
        )
    try:
        found = entry.load()
    except Exception as error:  # whatever that package raises
        raise DeviceNotFoundError(
            f"{called} does not load: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Driver):
        raise DeviceNotFoundError(
            f"{called} is no driver: it needs the members Options and from_settings; see "
            "docs/new-driver.md"
        )
    return found
