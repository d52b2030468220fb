"""A shutter that takes commands in lines of text: a controller, or a microcontroller with a TTL output."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from drivers.errors import DeviceError, DeviceValueError, LaserMayBeOnError
from drivers.line_settings import LineSettings
from drivers.settings import ShutterSettings
from drivers.types import Timing
from drivers.visa import LIBRARY, VisaLink

POLL_S = 0.01
"""Time between two questions whether it has moved."""


@dataclass(frozen=True)
class LineShutterOptions(LineSettings):
    """The commands of a shutter, and settings of the line (`LineSettings`).

    ask_state: query for its state; "" for one that reports none: then what was sent is taken for its state.
    open_answers, closed_answers: answers with this meaning, in capital letters; any other is an error.
    move_ms: time in which it moves. timeout_ms: for an answer. library: of VISA.
    """

    identify: str = "*IDN?"
    open_command: str = "OPEN"
    close_command: str = "CLOSE"
    ask_state: str = "STATE?"
    open_answers: tuple[str, ...] = ("OPEN", "1")
    closed_answers: tuple[str, ...] = ("CLOSED", "0")
    move_ms: float = 50.0
    timeout_ms: int = 2000
    library: str = LIBRARY

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.open_command and self.close_command):
            raise DeviceValueError("open_command, close_command: must not be empty")
        both = set(self.open_answers) & set(self.closed_answers)
        if self.ask_state and (both or not self.open_answers or not self.closed_answers):
            raise DeviceValueError(
                "open_answers, closed_answers: each needs an answer, none may be in both"
            )
        if self.move_ms < 0.0 or self.timeout_ms < 1:
            raise DeviceValueError("move_ms, timeout_ms: must not be below 0, 1")


class LineShutter:
    """Opens closed; close() leaves it closed."""

    Options: ClassVar[type[LineShutterOptions]] = LineShutterOptions

    def __init__(self, link: VisaLink, options: LineShutterOptions) -> None:
        self._link, self._options = link, options
        self._told_open = False
        try:
            self.is_open = False
        except BaseException:
            link.close()
            raise

    @classmethod
    def from_settings(cls, settings: ShutterSettings[LineShutterOptions]) -> LineShutter:
        """Connect to a VISA address; CLOSE is sent first. Raises DeviceNotFoundError, LaserMayBeOnError."""
        options = settings.options
        link = VisaLink.open(
            settings.address,
            options.timeout_ms,
            options.library,
            options.identify,
            first=options.close_command,
            settings=options.of_the_line(),
        )
        return cls(link, options)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return f"shutter {self._link.identity}"

    @property
    def timing(self) -> Timing:
        """Time in which it moves."""
        return Timing(latency_ms=0.0, duration_ms=self._options.move_ms)

    @property
    def is_open(self) -> bool:
        """True while light passes. Raises DeviceError for an answer that is neither."""
        options = self._options
        if not options.ask_state:
            return self._told_open
        answer = self._link.query(options.ask_state).upper()
        if answer in options.open_answers:
            return True
        if answer in options.closed_answers:
            return False
        raise DeviceError(
            f"{self.name}: {options.ask_state}: answers {answer!r}, which is neither of "
            f"{', '.join(options.open_answers)} (open) nor of {', '.join(options.closed_answers)} "
            "(closed); set shutter.options.open_answers and closed_answers"
        )

    @is_open.setter
    def is_open(self, value: bool) -> None:
        options = self._options
        self._link.write(options.open_command if value else options.close_command)
        self._told_open = value
        until_s = time.monotonic() + (options.move_ms + options.timeout_ms) / 1e3
        while self.is_open != value:
            if time.monotonic() > until_s:
                if value:
                    raise DeviceError(f"{self.name}: was opened and stays closed; check its driver")
                raise LaserMayBeOnError(
                    f"{self.name}: was closed and STAYS OPEN; block the beam by hand"
                )
            time.sleep(POLL_S)

    def send_close(self) -> None:
        """Send the order to close; nothing is asked."""
        self._link.send(self._options.close_command)

    def close(self) -> None:
        """Close it, and let go."""
        if not self._link.closed:
            try:
                self.is_open = False
            finally:
                self._link.close()
