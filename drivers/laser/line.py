"""The line to a laser, so described that another process can open it and switch the laser off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from drivers.line_settings import LineSettings
from drivers.visa import LIBRARY, VisaLink

AGAIN_S = 0.25
"""Time between two tries to switch a laser off."""


@dataclass(frozen=True, slots=True)
class LaserLine:
    """How a laser is reached, and what switches it off.

    address, library: VISA's. switch_off: its order. ask_emission: its question, "" for none; off: answers
    with the meaning "dark", in capital letters. identify: query that it answers, "" for none. timeout_ms:
    for an answer. settings: of the line.
    """

    address: str
    switch_off: str
    ask_emission: str = ""
    off: tuple[str, ...] = ("OFF", "0")
    identify: str = "*IDN?"
    timeout_ms: int = 2000
    library: str = LIBRARY
    settings: LineSettings = field(default_factory=LineSettings)

    def to_json(self) -> str:
        """Return the description in one line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LaserLine:
        """Return the line that a text describes. Raises ValueError, TypeError for another text."""
        values = json.loads(text)
        settings: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values["settings"].items()
        }
        values |= {"off": tuple(values["off"]), "settings": LineSettings(**settings)}
        return cls(**values)

    def open(self) -> VisaLink:
        """Connect; OFF is sent before anything is asked. Raises DeviceNotFoundError."""
        return VisaLink.open(
            self.address,
            self.timeout_ms,
            self.library,
            self.identify,
            first=self.switch_off,
            settings=self.settings,
        )

    def send_off(self) -> None:
        """Send OFF by a connection of its own, and ask nothing. Raises DeviceNotFoundError."""
        replace(self, identify="").open().close()

    def make_dark(self, tries_s: float, proceed: Callable[[], bool] = lambda: True) -> str:
        """Send OFF, first and with every try, until the laser confirms that it is dark.

        Args:
            tries_s: time in which it is tried, in s.
            proceed: asked after each try; False ends trying.

        Returns:
            Why it could not be confirmed; "" if the laser is dark, or has no question for it.
        """
        ends_s = time.monotonic() + tries_s
        while True:
            why = self._try_once()
            if not why or time.monotonic() > ends_s or not proceed():
                return why
            time.sleep(AGAIN_S)

    def _try_once(self) -> str:
        try:
            link = self.open()
            try:
                answer = link.query(self.ask_emission) if self.ask_emission else self.off[0]
            finally:
                link.close()
        except Exception as error:  # whatever it was, the next try has to come
            return str(error)
        return "" if answer.upper() in self.off else f"{self.ask_emission}: answers {answer!r}"


@runtime_checkable
class LaserWithLine(Protocol):
    """A laser whose driver describes its line; one without this member cannot be guarded."""

    @property
    def line(self) -> LaserLine | None:
        """The line; None if no other process can reach the laser by it."""
        ...
