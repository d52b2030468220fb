"""A command that holds a lit laser and does what it reads, a line each: -m ... BENCH.toml.

It answers each line with one of its own, "dark" where it reports that the laser is dark, and waits for the
next one. It is built as the commands of labdiff are: stopping signals, an open bench, one line at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from drivers.errors import DeviceDisconnectedError, DeviceError
from labdiff.bench.bench import Bench
from labdiff.bench.bench_safety import lasers_that_may_be_on
from labdiff.bench.open import open_bench
from labdiff.cli.main import guarded, warn_of_lasers_left_lit
from labdiff.config.bench import load_bench
from labdiff.errors import JobStoppedError, UserError
from labdiff.jobs.stop_signal import StopOnSignal

DARK, OTHER = "dark", "-"
RAISE = "raise"
"""An order to raise an error in the middle of the work; which one is its second word."""
ERRORS: dict[str, Callable[[], Exception]] = {
    "fault": lambda: RuntimeError("a fault of somebody's code"),
    "memory": lambda: MemoryError(),
    "key": lambda: KeyError("pixels"),
    "camera": lambda: DeviceDisconnectedError("the camera is gone"),
    "user": lambda: UserError("a mistake"),
}


def _off(bench: Bench) -> bool:
    bench.laser.emission = False
    return True


def _power(bench: Bench) -> bool:
    bench.laser.power_mw = 20.0
    return False


def _safe(bench: Bench) -> bool:
    bench.make_safe()
    return not bench.left_unsafe


def _close(bench: Bench) -> bool:
    bench.close()
    return not bench.left_unsafe and not lasers_that_may_be_on()


def _light(bench: Bench) -> bool:
    bench.switch_on()
    return False


def _order(act: Callable[[Bench], object]) -> Callable[[Bench], bool]:
    """Return what does something and reports nothing."""

    def ordered(bench: Bench) -> bool:
        act(bench)
        return False

    return ordered


OPERATIONS: dict[str, Callable[[Bench], bool]] = {
    "on": _light,
    "off": _off,
    "power": _power,
    "read": lambda bench: not bench.laser.emission,
    "safe": _safe,
    "send off": _order(Bench.send_off),
    "hold": _order(Bench.hold_dark),
    "release": _order(Bench.release),
    "close": _close,
}
"""What a line asks for; each returns whether it reports that the laser is dark."""


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def command() -> None:
    """Open the bench, and do what is asked until standard input ends or a signal came."""
    with StopOnSignal() as stop, open_bench(load_bench(sys.argv[1]), 0) as bench:
        say(OTHER)
        for line in sys.stdin:
            if stop.requested():
                return
            word, _, which = line.strip().partition(" ! ")
            if word == RAISE:
                raise ERRORS[which]()
            try:
                say(DARK if OPERATIONS[word](bench) else OTHER)
            except (DeviceError, JobStoppedError):
                if which:  # as a script that does not catch it
                    raise
                say(OTHER)


if __name__ == "__main__":
    warn_of_lasers_left_lit()
    sys.exit(guarded(command))
