"""A laser in a process of its own, which writes down when it went on and off.

`python -m benchmarks.gui_checks.laser_process LOG`: prints its address, and appends a line to LOG for each
order to switch: seconds of the system's monotonic clock, and "on" or "off". It ends with its input.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.support.laser_server import LaserServer


class LoggingLaser(LaserServer):
    """Writes a line for each order to switch, as soon as it has come."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("w", encoding="ascii", buffering=1)
        super().__init__()

    def _answer(self, order: str) -> str:
        answer = super()._answer(order)
        if order.startswith("SOUR:AM:STAT "):
            self._log.write(f"{time.monotonic():.6f} {'on' if self.on else 'off'}\n")
        return answer


def main() -> None:
    """Serve until the input ends."""
    laser = LoggingLaser(Path(sys.argv[1]))
    print(laser.address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
