"""A laser behind a shutter: its light is switched by the shutter, and it stays warm meanwhile."""

from __future__ import annotations

from contextlib import suppress

from drivers.errors import DeviceError
from drivers.laser.line import LaserLine, LaserWithLine
from drivers.laser.wrapper import LaserWrapper
from drivers.protocols import Laser, Shutter
from drivers.types import Timing


class ShutteredLaser(LaserWrapper):
    """Light comes out while the laser emits and the shutter is open.

    Switching the light off closes the shutter and leaves the laser on, which keeps its power steady; OFF of
    the safe state and closing switch the laser off too.
    """

    def __init__(self, laser: Laser, shutter: Shutter) -> None:
        super().__init__(laser)
        self._laser, self._shutter = laser, shutter

    @property
    def name(self) -> str:
        """Laser and shutter."""
        return f"{self._laser.name}, {self._shutter.name}"

    @property
    def timing(self) -> Timing:
        """The slower one's."""
        return max(self._laser.timing, self._shutter.timing, key=lambda timing: timing.total_ms)

    @property
    def emission(self) -> bool:
        """True while light comes out."""
        return self._shutter.is_open and self._laser.emission

    @emission.setter
    def emission(self, value: bool) -> None:
        if value and not self._laser.emission:
            self._laser.emission = True
        self._shutter.is_open = value

    def send_off(self) -> None:
        """Send both orders, to close and to switch off; one that fails does not keep the other from it."""
        with suppress(DeviceError):
            self._shutter.send_close()
        self._laser.send_off()

    @property
    def line(self) -> LaserLine | None:
        """The laser's line, by which a guardian switches it off."""
        return self._laser.line if isinstance(self._laser, LaserWithLine) else None

    def close(self) -> None:
        """Close the shutter, switch the laser off, and let go of both."""
        try:
            self._shutter.close()
        finally:
            self._laser.close()
