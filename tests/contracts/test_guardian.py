"""The guardian switches a laser off when the program that owns it is killed, crashes or stands still."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labdiff.bench.guard_laser import LaserGuard, guard_laser
from labdiff.config.bench import LaserConfig
from mock_hardware.laboratory import MockLaboratory
from tests.contracts.visa_rooms import GEOMETRY
from tests.support.laser_server import LaserServer, laser_server

LIMIT_S = 90.0
"""Longest wait; on an idle computer each takes less than two seconds (benchmarks/faults.py)."""
OFF = "SOUR:AM:STAT OFF"
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def wait_for(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until_s, "it does not happen"
        time.sleep(0.005)


def lives(pid: int) -> bool:
    """Return True if a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Owner:
    """The program that owns the laser."""

    def __init__(self, server: LaserServer, folder: Path) -> None:
        self.log = folder / "guardian.log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.laser_owner", server.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "LABDIFF_RUNTIME": str(folder)},
        )
        self.guardian = int(self.hear().split()[1])

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def ask(self, what: str) -> str:
        self.tell(what)
        return self.hear()


@contextmanager
def owner(server: LaserServer, folder: Path) -> Iterator[Owner]:
    found = Owner(server, folder)
    try:
        assert server.on
        yield found
    finally:
        with found.process:
            found.process.kill()
        wait_for(lambda: not lives(found.guardian))


def test_a_guardian_starts_fast_since_it_imports_nothing_heavy() -> None:
    load = "from drivers.laser.guardian import load_library; load_library('@py')"
    code = f"import sys; {load}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "pyvisa_py.tcpip" in modules
    assert not {"numpy", "torch", "scipy", "pydantic", "labdiff"} & modules


@pytest.mark.parametrize("one_at_a_time", [False, True])
def test_a_killed_program_leaves_a_dark_laser(tmp_path: Path, one_at_a_time: bool) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with laser_server(one_at_a_time) as server, owner(server, tmp_path) as program:
        assert program.ask(f"beside {run}") == "beside"
        program.process.kill()
        wait_for(lambda: not server.on)
        wait_for(lambda: program.log.exists() and "confirmed dark" in program.log.read_text())
    assert "has ended without switching the laser off" in program.log.read_text()
    assert (run / "guardian.log").read_text() == program.log.read_text()


@pytest.mark.slow
@posix
def test_a_crash_in_a_library_leaves_a_dark_laser(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        program.tell("crash")
        wait_for(lambda: not server.on)


@pytest.mark.slow
@posix
def test_a_library_that_never_returns_leaves_a_dark_laser(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        program.tell("freeze")
        wait_for(lambda: not server.on)
        assert program.process.poll() is None


@pytest.mark.slow
@posix
def test_a_frozen_program_that_holds_the_only_line_is_ended(tmp_path: Path) -> None:
    with laser_server(one_at_a_time=True) as server, owner(server, tmp_path) as program:
        program.tell("freeze")
        wait_for(lambda: not server.on)
        assert program.process.wait(LIMIT_S) == -signal.SIGKILL
        wait_for(lambda: "confirmed dark" in program.log.read_text())
    assert "it is ended, to free the laser's line" in program.log.read_text()


@pytest.mark.slow
@posix
def test_a_suspended_program_learns_that_its_laser_was_switched_off(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        program.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: not server.on)
        program.process.send_signal(signal.SIGCONT)
        assert "by its guardian: the program has stood still" in program.ask("look")
        assert program.ask("light").startswith("lit") and server.on
        program.process.kill()
        wait_for(lambda: not server.on)


@pytest.mark.slow
@posix
def test_no_signal_ends_a_guardian_and_one_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        first = program.guardian
        assert os.getsid(first) != os.getsid(program.process.pid)
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
            signal.SIGHUP,
            signal.SIGQUIT,
            signal.SIGTSTP,
        ):
            os.kill(first, number)
        assert program.ask("look") == f"emits {first}"
        os.kill(first, signal.SIGKILL)
        while program.guardian == first:
            program.guardian = int(program.ask("look").split()[1])
        program.process.kill()
        wait_for(lambda: not server.on)


@pytest.mark.slow
def test_a_laser_that_does_not_answer_is_told_off_too(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        server.manner = "mute"
        program.process.kill()
        wait_for(lambda: not server.on)
        server.manner = "polite"
        wait_for(lambda: program.log.exists() and "confirmed dark" in program.log.read_text())


@pytest.mark.slow
def test_a_program_that_closes_in_good_order_releases_its_guardian(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        assert program.ask("close") == "closed"
        wait_for(lambda: not lives(program.guardian))
        assert not server.on and not program.log.exists()


@pytest.mark.slow
def test_a_laser_that_is_not_confirmed_dark_stays_with_its_guardian(tmp_path: Path) -> None:
    with laser_server() as server, owner(server, tmp_path) as program:
        server.manner = "mute"
        assert program.ask("close") == "closed"
        server.manner, server.on = "polite", True
        wait_for(lambda: not server.on)


def test_what_is_not_guarded_is_said_unless_it_is_simulated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    laser = MockLaboratory.create(GEOMETRY, seed=1).laser
    with caplog.at_level(logging.WARNING):
        assert guard_laser(LaserConfig(driver="mock", power_mw=1.0), laser, print) == LaserGuard()
        assert not caplog.messages
        maker = LaserConfig(driver="maker", power_mw=1.0)
        off = LaserConfig(driver="obis", power_mw=1.0, guardian=False)
        warnings = [guard_laser(config, laser, print).warning for config in (maker, off)]
    assert caplog.messages == warnings
    no_line, switched_off = warnings
    assert "NOT guarded: its driver names no line" in no_line
    assert "NOT guarded: laser.guardian = false" in switched_off
