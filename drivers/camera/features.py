"""A GenICam node map by its features' names, those of SFNC first and then older spellings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Features:
    """Reads and writes what is there; what a camera lacks is passed over.

    find: the node of a name; what it raises or returns for an unknown one does not matter.
    errors: what the library raises. spell: its spelling of an attribute's name: pypylon writes "Value",
    harvesters "value".
    """

    def __init__(
        self,
        find: Callable[[str], Any],
        errors: tuple[type[Exception], ...],
        spell: Callable[[str], str],
    ) -> None:
        self._find, self._spell = find, spell
        self.errors: tuple[type[Exception], ...] = (*errors, AttributeError)

    def read(self, *names: str) -> Any:
        """Return the value of the first of these features that can be read; None if none can."""
        return self._first("value", names)

    def largest(self, *names: str) -> Any:
        """Return the greatest value that a feature takes."""
        return self._first("max", names)

    def smallest(self, *names: str) -> Any:
        """Return the least value that a feature takes."""
        return self._first("min", names)

    def step(self, *names: str) -> Any:
        """Return the steps in which a feature takes values."""
        return self._first("inc", names)

    def choices(self, name: str) -> tuple[str, ...]:
        """Return the values of an enumeration; none if there is no such feature."""
        return tuple(self._first("symbolics", (name,)) or ())

    def write(self, value: object, *names: str) -> None:
        """Set the first of these features that can be read. Raises the library's error if it is refused."""
        for name in names:
            if self.read(name) is not None:
                setattr(self._find(name), self._spell("value"), value)
                return

    def try_write(self, value: object, *names: str) -> bool:
        """Set it if the camera has it and takes it."""
        try:
            self.write(value, *names)
        except self.errors:
            return False
        return bool(self.read(*names) == value)

    def execute(self, name: str) -> None:
        """Run a command. Raises the library's error."""
        getattr(self._find(name), self._spell("execute"))()

    def _first(self, what: str, names: tuple[str, ...]) -> Any:
        for name in names:
            try:
                return getattr(self._find(name), self._spell(what))
            except self.errors:
                continue
        return None
