"""A shutter, or a beam block, that a person moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drivers.errors import DeviceStateError, LaserMayBeOnError
from drivers.operator import HandRequest, request_by_hand
from drivers.settings import ShutterSettings
from drivers.types import Timing


@dataclass(frozen=True, slots=True)
class ManualShutterOptions:
    """What the operator is asked to do, in the laboratory's own words."""

    open_request: str = "open the shutter, or take the beam block away"
    close_request: str = "close the shutter, or put the beam block in"


class ManualShutter:
    """Opens once the operator has closed it. Its state is what the operator was asked for."""

    Options: ClassVar[type[ManualShutterOptions]] = ManualShutterOptions

    def __init__(self, options: ManualShutterOptions) -> None:
        self._options, self._open = options, False
        self._ask(False)

    @classmethod
    def from_settings(cls, settings: ShutterSettings[ManualShutterOptions]) -> ManualShutter:
        """Ask the operator to close it. Raises DeviceStateError if there is nobody to be asked."""
        return cls(settings.options)

    @property
    def name(self) -> str:
        """What it is, and that its state is hearsay."""
        return "shutter moved by hand (as told by the operator)"

    @property
    def timing(self) -> Timing:
        """No time: the operator answers when it stands."""
        return Timing(latency_ms=0.0, duration_ms=0.0)

    @property
    def is_open(self) -> bool:
        """True from when the operator was asked to open it until it was closed."""
        return self._open

    @is_open.setter
    def is_open(self, value: bool) -> None:
        if value == self._open:
            return
        self._open = True  # it may be open as soon as somebody was asked to move it
        try:
            self._ask(value)
        except DeviceStateError as error:
            if value:
                raise
            raise LaserMayBeOnError(f"{error}") from error
        self._open = value

    def send_close(self) -> None:
        """Do nothing: no order reaches it."""

    def close(self) -> None:
        """Ask for it to be closed. Idempotent."""
        self.is_open = False

    def _ask(self, value: bool) -> None:
        options = self._options
        act = options.open_request if value else options.close_request
        expected = "light reaches the SLM" if value else "no light reaches the SLM"
        request_by_hand(HandRequest("shutter", act, expected))
