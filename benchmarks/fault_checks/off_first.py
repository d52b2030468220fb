"""Lasers that hear and do not answer as they should: OFF is the first thing that they are sent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from drivers.errors import DeviceError
from drivers.laser.line import LaserLine
from drivers.laser.profile import shipped_driver
from drivers.laser.scpi import ScpiLaser
from drivers.settings import LaserSettings
from labdiff.bench.bench_safety import BenchSafety, send_all_off
from labdiff.bench.clock import SystemClock
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.config.bench import RetriesConfig
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from tests.support.laser_server import LaserServer, Manner, laser_server

TRIES = 40
MANNERS: tuple[Manner, ...] = ("mute", "echo", "endless", "drip")
OFF = "SOUR:AM:STAT OFF"
TIMEOUT_MS = 150
QUICK = RetriesConfig(tries=2, first_wait_ms=1.0, reconnects=2, reconnect_wait_ms=1.0)
GEOMETRY = MockGeometry(
    850.0, 9.2, (64, 160), (32, 32), 16, (10, 60, 110), 5.7, 0.2, "slm_patch",
    (96, 96), 3.45, 12, 0.6,
)  # fmt: skip
HEARD_S = 10.0
"""Longest time in which what was sent has to arrive."""


def measure(setting: Setting) -> Outcome:
    """Make lasers of every manner dark in every way."""
    count = setting.amount("tries with lasers of bad manners", smoke=4, quick=16, full=TRIES)
    ways = (_open, _switch_off, _make_safe, _all_of_the_process, _guardian)
    cells = itertools.cycle(itertools.product(ways, MANNERS))
    tries = [_try(way, manner) for way, manner in itertools.islice(cells, count)]
    for each in tries:
        setting.say(f"  {each.what}: first {each.first!r}, {each.seconds:.2f} s")
    claims = [
        claim("lasers that heard OFF first", sum(t.first == OFF for t in tries), f">= {count}"),
        claim("lasers of bad manners that were dark", sum(t.dark for t in tries), f">= {count}"),
        claim("longest time until one was given up, s", max(t.seconds for t in tries), "<= 60"),
    ]
    return Outcome(
        claims, {"others_first": [t.what for t in tries if t.first != OFF or not t.dark]}
    )


@dataclass(frozen=True, slots=True)
class Try:
    """One laser made dark. first: the first order that it heard. seconds: until it was given up."""

    what: str
    first: str
    dark: bool
    seconds: float


Way = Callable[[LaserServer, Manner], None]
"""Brings about that a lit laser of some manner is to be made dark; what it heard before is forgotten."""


def _try(way: Way, manner: Manner) -> Try:
    with laser_server() as server:
        started_s = time.monotonic()
        way(server, manner)
        seconds = time.monotonic() - started_s
        until_s = time.monotonic() + HEARD_S
        while (server.on or not server.orders) and time.monotonic() < until_s:
            time.sleep(0.005)
        first = server.orders[0] if server.orders else ""
        return Try(f"{way.__name__.strip('_')}, {manner}", first, not server.on, seconds)


def _opened(server: LaserServer) -> ScpiLaser:
    obis = shipped_driver("obis")
    options = obis.Options(timeout_ms=TIMEOUT_MS)
    return obis.from_settings(LaserSettings(server.address, 850.0, options))


@contextmanager
def _lit(server: LaserServer, manner: Manner) -> Iterator[tuple[ReconnectingLaser, BenchSafety]]:
    """Yield a lit laser that has fallen out of step."""
    context = RetryContext(QUICK, SystemClock(), FaultLog())
    laser = ReconnectingLaser("laser", _opened(server), lambda: _opened(server), context)
    mock = MockLaboratory.create(GEOMETRY, seed=1)
    safety = BenchSafety(BenchDevices(mock.slm, mock.camera, laser, SystemClock()), lambda: None)
    safety.switch_on()
    server.manner = manner
    with suppress(DeviceError):
        _ = laser.power_mw
    server.orders.clear()
    yield laser, safety
    with suppress(DeviceError):
        laser.close()


def _open(server: LaserServer, manner: Manner) -> None:
    """Open a laser that was left on."""
    server.on, server.manner = True, manner
    with suppress(DeviceError):
        _opened(server).close()


def _switch_off(server: LaserServer, manner: Manner) -> None:
    with _lit(server, manner) as (laser, _), suppress(DeviceError):
        laser.emission = False


def _make_safe(server: LaserServer, manner: Manner) -> None:
    with _lit(server, manner) as (_, safety):
        safety.make_safe()


def _all_of_the_process(server: LaserServer, manner: Manner) -> None:
    """Send OFF as the handler of a signal does."""
    with _lit(server, manner):
        send_all_off()


def _guardian(server: LaserServer, manner: Manner) -> None:
    """Switch off as a guardian does at its first try."""
    server.on, server.manner = True, manner
    LaserLine(server.address, OFF, "SOUR:AM:STAT?", timeout_ms=TIMEOUT_MS).make_dark(0.0)
