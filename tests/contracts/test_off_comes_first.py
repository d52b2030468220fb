"""OFF is sent before anything is asked, on every try, also to a laser that hears and does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from drivers.errors import DeviceError
from drivers.laser.profile import shipped_driver
from drivers.laser.scpi import ScpiLaser
from drivers.settings import LaserSettings
from labdiff.bench.bench_safety import BenchSafety, lasers_that_may_be_on, send_all_off
from labdiff.bench.clock import SystemClock
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.reconnect import RetryContext
from labdiff.bench.reconnecting_laser import ReconnectingLaser
from labdiff.config.bench import RetriesConfig
from labdiff.errors import JobStoppedError
from tests.support.laser_server import LaserServer, Manner, laser_server

OFF = "SOUR:AM:STAT OFF"
QUICK = RetriesConfig(tries=2, first_wait_ms=1.0, reconnects=2, reconnect_wait_ms=1.0)


@pytest.fixture
def server() -> Iterator[LaserServer]:
    with laser_server() as served:
        yield served


def open_laser(server: LaserServer) -> ScpiLaser:
    obis = shipped_driver("obis")
    dialect = obis.Options(timeout_ms=150)
    return obis.from_settings(LaserSettings(server.address, 850.0, dialect))


def reconnecting(server: LaserServer) -> ReconnectingLaser:
    context = RetryContext(QUICK, SystemClock(), FaultLog())
    return ReconnectingLaser("laser", open_laser(server), lambda: open_laser(server), context)


@pytest.mark.parametrize("manner", ["polite", "mute", "endless", "echo", "drip"])
def test_a_laser_that_is_opened_hears_off_before_any_question(
    server: LaserServer, manner: Manner
) -> None:
    server.on, server.manner = True, manner
    try:
        open_laser(server).close()
    except DeviceError:
        assert manner != "polite"
    assert server.orders[0] == OFF and not server.on


@pytest.mark.parametrize("manner", ["mute", "endless", "echo", "drip"])
def test_a_lit_laser_that_falls_out_of_step_hears_off_first_and_on_every_try(
    server: LaserServer, manner: Manner
) -> None:
    laser = reconnecting(server)
    laser.emission = True
    assert server.on
    server.manner = manner
    with pytest.raises(DeviceError):
        _ = laser.power_mw
    server.orders.clear()
    with pytest.raises(DeviceError):
        laser.emission = False
    assert server.orders[0] == OFF and not server.on
    assert server.orders.count(OFF) >= 2


def test_an_answer_without_an_end_is_given_up_within_the_time_out(server: LaserServer) -> None:
    laser = open_laser(server)
    server.manner = "endless"
    with pytest.raises(DeviceError, match="an answer without an end|no answer in time"):
        _ = laser.power_mw


def test_off_by_a_signal_ends_the_job_at_its_next_look_at_the_light(server: LaserServer) -> None:
    laser = reconnecting(server)
    laser.emission = True
    laser.send_off()
    with pytest.raises(JobStoppedError, match="switched off"):
        laser.check_emission()
    with pytest.raises(JobStoppedError, match="switched off"):
        laser.emission = True
    # OFF is on its way, and nobody puts the light back that a signal has switched off.
    while server.on:
        pass
    laser.permit()
    laser.emission = True
    laser.check_emission()
    laser.close()


def test_threads_that_ask_at_the_same_time_each_get_their_own_answer(server: LaserServer) -> None:
    laser = open_laser(server)
    link = laser._link

    def asked(command: str) -> set[str]:
        return {link.query(command) for _ in range(200)}

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(asked, each) for each in ("*IDN?", "SOUR:AM:STAT?", "SYST:LOCK?")]
    assert [each.result() for each in answers] == [{"Coherent, Inc-OBIS-TEST,1"}, {"OFF"}, {"ON"}]
    laser.close()


class Devices:
    """The devices of a bench that is a laser alone."""

    def __init__(self, laser: ReconnectingLaser) -> None:
        self.laser, self.clock = laser, SystemClock()

    def __iter__(self) -> Iterator[ReconnectingLaser]:
        yield self.laser


def test_a_laser_that_cannot_be_confirmed_dark_is_named_until_it_is(server: LaserServer) -> None:
    laser = reconnecting(server)
    safety = BenchSafety(Devices(laser), lambda: None)  # type: ignore[arg-type]
    safety.switch_on()
    assert server.on
    server.manner = "mute"
    safety.make_safe()
    assert not server.on
    (warning,) = lasers_that_may_be_on()
    assert warning.startswith("the laser may be ON: Coherent, Inc-OBIS-TEST,1")
    assert "switch it off by hand" in warning and "switch the laser off" in safety.left_unsafe[0]
    server.manner = "polite"
    safety.make_safe()
    assert lasers_that_may_be_on() == []


def test_off_goes_to_every_lit_laser_of_the_process(server: LaserServer) -> None:
    laser = reconnecting(server)
    safety = BenchSafety(Devices(laser), lambda: None)  # type: ignore[arg-type]
    safety.switch_on()
    server.orders.clear()
    send_all_off()
    while OFF not in server.orders:
        pass
    safety.close()
    assert server.orders[0] == OFF
