"""A laser that was lit when all that watched it was killed: the next program says so first."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceStateError, DeviceTimeoutError
from drivers.laser.guardian import BEAT, Guardian, GuardOrder, OwnerPulse, beside_line
from drivers.laser.line import LaserLine
from labdiff.bench.bench_safety import BenchSafety, lasers_that_may_be_on, opened_dark
from labdiff.bench.clock import SystemClock
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.guard_laser import LaserGuard
from labdiff.bench.lit_note import LitNote, forget_left_lit, lasers_left_lit
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.cli.main import warn_of_lasers_left_lit
from labdiff.config.bench import RetriesConfig
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.laser import MockLaser
from tests.contracts.visa_rooms import GEOMETRY
from tests.support.laser_server import laser_server

PLACE = "laser scpi TCPIP::10.0.0.7::5025::SOCKET"
OFF, ASK = "SOUR:AM:STAT OFF", "SOUR:AM:STAT?"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABDIFF_CONFIG", str(tmp_path / "settings"))
    return tmp_path


@pytest.fixture
def note() -> Iterator[LitNote]:
    note = LitNote(PLACE, "Maker L1 0001", "/run/guardian.log")
    yield note
    note.remove()


def leave(note: LitNote) -> None:
    """Let a note be found as that of a program that was killed."""
    note.write()
    assert note._owner is not None
    note._owner.release()


def test_the_next_program_says_first_what_was_left_lit_until_it_is_confirmed_dark(
    note: LitNote, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_lasers_left_lit()
    note.write()
    assert lasers_left_lit() == [], "its program lives"
    leave(note)
    warn_of_lasers_left_lit()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"labdiff: the laser may be ON: Maker L1 0001 ({PLACE}): ")
    for words in ("(process ", "lit since", "labdiff bench check", "/run/guardian.log"):
        assert words in line
    assert line.endswith(f"delete {note.path}")
    laser = MockLaboratory.create(GEOMETRY, seed=1).laser
    with caplog.at_level(logging.WARNING):
        opened_dark("laser scpi elsewhere", lambda: laser)
        assert len(lasers_left_lit()) == 1, "another laser's"
        opened_dark(PLACE, lambda: laser)
    assert "was left lit by" in caplog.text and "it is dark now" in caplog.text
    assert lasers_left_lit() == []


def test_notes_that_are_damaged_or_hostile_harm_nobody(
    note: LitNote, capsys: pytest.CaptureFixture[str]
) -> None:
    note.path.parent.mkdir(parents=True)
    for number, text in enumerate(("", "{", "[]", '{"place": 1}', "\x00")):
        note.path.with_name(f"lit-{number}.json").write_text(text)
    evil = {name: "\x1b[2J\n" * 99 for name in ("laser", "place", "program", "guardian_log")}
    note.path.with_name("lit-9.json").write_text(json.dumps(evil))
    warn_of_lasers_left_lit()
    (line,) = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line


def bench_of(laser: ReconnectingLaser, note: LitNote) -> BenchSafety:
    lab = MockLaboratory.create(GEOMETRY, seed=1)
    devices = BenchDevices(lab.slm, lab.camera, laser, SystemClock())
    return BenchSafety(devices, lambda: None, LaserGuard(note=note))


def reconnecting(raw: MockLaser) -> ReconnectingLaser:
    once = RetriesConfig(tries=1, reconnects=1, first_wait_ms=1.0, reconnect_wait_ms=1.0)
    return ReconnectingLaser(
        "laser", raw, lambda: raw, RetryContext(once, SystemClock(), FaultLog())
    )


def test_the_note_stands_while_the_laser_is_lit_and_no_longer(note: LitNote) -> None:
    safety = bench_of(reconnecting(MockLaboratory.create(GEOMETRY, seed=1).laser), note)
    assert not note.path.exists()
    for _ in range(2):
        safety.switch_on()
        assert note.path.exists() and not lasers_left_lit()
        safety.make_safe()
        assert not note.path.exists()
    safety.close()


@pytest.mark.parametrize("error", [DeviceTimeoutError("no answer"), DeviceStateError("is closed")])
def test_a_laser_that_is_not_confirmed_dark_stays_noted_and_named_however_often_it_is_closed(
    note: LitNote, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that has let go of the line, as after an answer that is no text, has confirmed nothing."""
    monkeypatch.setattr("labdiff.bench.bench_safety._MAY_BE_ON", {})
    raw = MockLaboratory.create(GEOMETRY, seed=1).laser
    safety = bench_of(reconnecting(raw), note)
    safety.switch_on()

    def fails(laser: MockLaser, value: bool) -> None:
        raise error

    monkeypatch.setattr(MockLaser, "emission", property(lambda laser: True, fails))
    for _ in range(3):
        safety.close()
        assert note.path.exists()
        assert "switch the laser off" in safety.left_unsafe[0]
        assert len(lasers_that_may_be_on()) == 1


@pytest.mark.parametrize("obeys", [True, False])
def test_a_guardian_removes_the_note_once_the_laser_is_dark_and_reports_beside_the_run(
    note: LitNote, folder: Path, obeys: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.laser.guardian.TRIES_S", 0.0)
    leave(note)
    run = folder / "run"
    run.mkdir()
    with laser_server() as server:
        server.on = True
        server.manner = "polite" if obeys else "mute"
        line = LaserLine(server.address, OFF, ASK, timeout_ms=200)
        order = GuardOrder(line, "L1", "it", 0, str(folder / "all.log"), str(note.path))
        heard = BEAT + beside_line(str(run / "guardian.log")) + BEAT
        assert GuardOrder.from_line(order.to_line()) == order
        Guardian(order, OwnerPulse(io.BytesIO(heard))).watch()
        assert not server.on
    assert note.path.exists() is not obeys
    reports = [(run / "guardian.log").read_text(), (folder / "all.log").read_text()]
    assert reports[0] == reports[1]
    assert ("confirmed dark" if obeys else "may be ON") in reports[0]
    forget_left_lit(PLACE)
