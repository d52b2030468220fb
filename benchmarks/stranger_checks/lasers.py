"""Lasers as they speak: dialects of a line, and answers that nobody understands."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.parts import Setting
from benchmarks.stranger_checks.case import StrangerCase, cases_folder
from drivers.errors import DeviceError, LaserMayBeOnError
from drivers.options import checked_options
from drivers.protocols import Laser
from drivers.registry import LASERS
from drivers.settings import LaserSettings
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import DIALECTS, WORDS, Dialect, DialectLaser, opened

SERVED: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("plain", "scpi_laser", {}),
    ("obis_ok", "obis", {}),
    ("obis_ok_stuck", "obis", {}),
    ("ok_each", "scpi_laser", {}),
    ("cr_only", "scpi_laser", {}),
    ("echo", "scpi_laser", {}),
    ("code", "scpi_laser", {}),
    ("unit", "scpi_laser", {}),
    ("words", "scpi_laser", {}),
    ("words", "scpi_laser", dict(WORDS)),
    ("words", "scpi_laser", {**WORDS, "switch_off": "OUTPUT OFF"}),
    ("boot", "scpi_laser", {}),
)
"""Dialects of the cases' line server, the driver and its options."""


def cases(setting: Setting) -> list[StrangerCase]:
    """Return the cases."""
    found = [StrangerCase(f"dialect {name}", partial(_agrees, DIALECTS[name])) for name in DIALECTS]
    found += [
        StrangerCase("an off order that is not obeyed", _misspelt_off),
        StrangerCase("states in unknown words", partial(_agrees, Dialect(states=("DARK", "LIT")))),
        StrangerCase("power that is not taken", partial(_agrees, Dialect(power="POWER "))),
        *(StrangerCase(f"power reads {word}", partial(_odd_power, word)) for word in ODD_POWERS),
        StrangerCase("errors of the program before", _old_errors),
        StrangerCase("a port where nobody answers", _nobody),
    ]
    folder = cases_folder(setting)
    if folder is not None and sys.platform != "win32":
        found += [
            StrangerCase(f"line server {name}, {driver} {options}", partial(_served, folder, *case))
            for case in SERVED
            for name, driver, options in (case,)
        ]
    return found


STILL_S = 0.2
"""Time without a line after which a server's log is complete."""
ODD_POWERS = ("NAN", "INF", "9.9 A", "lots", "")


def _use(laser: Laser, is_on: Callable[[], bool]) -> bool:
    """Set and read back power and emission; return whether the laser's own side agrees at each step."""
    laser.power_mw = 20.0
    agrees = abs(laser.power_mw - 20.0) < 0.5
    for emits in (True, False, True):
        laser.emission = emits
        agrees = agrees and laser.emission == emits == is_on()
    laser.close()
    return agrees and not is_on()


def _agrees(dialect: Dialect) -> bool:
    truth = DialectLaser(dialect)
    truth.on = True
    with TcpLine(truth.speak) as line, opened(dialect, line) as laser:
        return _use(laser, lambda: truth.on)


def _misspelt_off() -> bool:
    truth = DialectLaser(Dialect())
    with TcpLine(truth.speak) as line, opened(Dialect(), line, switch_off="OUTPUT OFF") as laser:
        laser.emission = True
        laser.emission = False
        return not truth.on


def _odd_power(word: str) -> bool:
    class Odd(DialectLaser):
        def _answer(self, meaning: str) -> str:
            return word if meaning == "power" else super()._answer(meaning)

    truth = Odd(Dialect())
    with TcpLine(truth.speak) as line, opened(Dialect(), line) as laser:
        return _use(laser, lambda: truth.on)


def _old_errors() -> bool:
    old = ['-113,"Undefined header"']

    class WithOldErrors(DialectLaser):
        def _answer(self, meaning: str) -> str:
            return old.pop() if meaning == "error" and old else super()._answer(meaning)

    truth = WithOldErrors(Dialect())
    with TcpLine(truth.speak) as line, opened(Dialect(), line) as laser:
        return _use(laser, lambda: truth.on)


def _nobody() -> bool:
    with TcpLine(lambda received: ([], b"")) as line, opened(Dialect(), line):
        return False


def _served(folder: Path, name: str, driver: str, options: dict[str, object]) -> bool:
    """Use a laser of the cases' line server, which writes down whether it is lit."""
    kind = LASERS.find(driver)
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs, "log")
        with log.open("w") as written:
            server = subprocess.Popen(
                [sys.executable, str(folder / "line_server.py"), name],
                stdout=subprocess.PIPE,
                stderr=written,
                text=True,
            )
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            given = checked_options("laser.options", kind.Options, options)
            laser = kind.from_settings(LaserSettings(address, 850.0, given))
            try:
                return _use(laser, partial(_stands, log))
            except DeviceError as error:
                lit = _stands(log)
                if lit and not isinstance(error, LaserMayBeOnError):
                    return False
                raise
        finally:
            server.kill()
            server.wait()
            if server.stdout:
                server.stdout.close()


def _stands(log: Path) -> bool:
    """Return whether a server's log ends with "on", once nothing has come for a while: it answers first."""
    before, seen = None, log.read_text()
    while seen != before:
        time.sleep(STILL_S)
        before, seen = seen, log.read_text()
    return seen.splitlines()[-1].endswith(" on")
