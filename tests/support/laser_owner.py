"""A program that owns a guarded laser, to be killed: python -m tests.support.laser_owner ADDRESS."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from drivers.errors import DeviceError
from drivers.laser.guarded import GuardedLine
from drivers.laser.profile import shipped_driver
from drivers.settings import LaserSettings
from labdiff.bench.clock import SystemClock
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.config.bench import RetriesConfig
from labdiff.errors import JobStoppedError


def main(address: str) -> None:
    """Switch the laser on, print the guardian's number, and do what standard input says."""
    obis = shipped_driver("obis")
    settings = LaserSettings(address, 850.0, obis.Options(timeout_ms=1000))
    raw = obis.from_settings(settings)
    context = RetryContext(RetriesConfig(tries=1), SystemClock(), FaultLog())
    laser = ReconnectingLaser("laser", raw, lambda: obis.from_settings(settings), context)
    assert raw.line is not None
    guarded = GuardedLine(raw.line, raw.name, laser.switched_off)
    if not guarded.wait_until_ready():
        raise SystemExit("the guardian does not start")
    laser.emission = True
    print("lit", guarded.pid, flush=True)
    for line in sys.stdin:
        match line.strip():
            case "look":
                try:
                    laser.check_emission()
                    print("emits", guarded.pid, flush=True)
                except JobStoppedError as error:
                    print(error, flush=True)
            case "light":
                laser.permit()
                laser.emission = True
                print("lit", guarded.pid, flush=True)
            case beside if beside.startswith("beside "):
                guarded.report_in(Path(beside.removeprefix("beside ")))
                print("beside", flush=True)
            case "freeze":  # as a maker's library that never returns and holds the interpreter
                ctypes.PyDLL(None).sleep(600)
            case "crash":
                ctypes.string_at(0)
            case "close":
                dark = True
                try:
                    laser.emission = False
                except DeviceError:
                    dark = False
                guarded.release(dark)
                print("closed", flush=True)
                return


if __name__ == "__main__":
    main(sys.argv[1])
