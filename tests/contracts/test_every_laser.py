"""What every laser promises, whatever it is reached through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceTimeoutError,
    DeviceValueError,
)
from drivers.laser.dialect import ScpiDialect
from drivers.laser.profile import shipped_driver
from drivers.laser.scpi import ScpiLaser
from drivers.laser.solstis import Solstis, SolstisOptions
from drivers.meter.pm100 import Pm100, Pm100Options
from drivers.protocols import Laser
from drivers.settings import LaserSettings, MeterSettings
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.visa.instruments import LaserInstrument, obis, pm100, scpi_laser
from mock_hardware.visa.line import TcpLine, messages_of
from mock_hardware.visa.solstis import SolstisProtocol
from tests.contracts.visa_rooms import GEOMETRY, MakeLaser, Room, room, simulated
from tests.support.laser_server import laser_server

BACK_ENDS = (
    "mock",
    "scpi over tcp",
    "scpi over pty",
    "scpi_laser over tcp",
    "scpi_laser over pty",
    "scpi_laser through pyvisa-sim",
    "scpi_laser on a port of pyvisa-sim",
    "solstis and its pump over tcp",
)
ObisLaser = shipped_driver("obis")
PLAIN = ScpiDialect(ask_interlock="LOCK?", ask_warm_up="WARM?", timeout_ms=300)
OBIS = ObisLaser.Options(timeout_ms=300)


@contextmanager
def solstis(
    laboratory: MockLaboratory, options: SolstisOptions | None = None
) -> Iterator[tuple[Solstis, SolstisProtocol, TcpLine]]:
    protocol = SolstisProtocol(laboratory)
    with (
        TcpLine(messages_of(protocol)) as line,
        room(scpi_laser, laboratory=laboratory) as pump,
    ):
        given = options or SolstisOptions(
            pump_address=pump.address, pump_greatest_mw=100.0, timeout_ms=300
        )
        found = Solstis.from_settings(LaserSettings(f"127.0.0.1:{line.port}", 850.0, given))
        yield found, protocol, line
        found.close()


@pytest.fixture(params=BACK_ENDS)
def laser(request: pytest.FixtureRequest) -> Iterator[Laser]:
    name: str = request.param
    if name == "mock":
        yield MockLaboratory.create(GEOMETRY, seed=1).laser
    elif "pyvisa-sim" in name:
        address = "ASRL1::INSTR" if "port" in name else "TCPIP0::laser::5025::SOCKET"
        options = ScpiDialect(library=simulated())
        yield ScpiLaser.from_settings(LaserSettings(address, 850.0, options))
    elif name.startswith("solstis"):
        with solstis(MockLaboratory.create(GEOMETRY, seed=1)) as (found, _, _):
            yield found
    else:
        driver, make = (ObisLaser, obis) if name.startswith("scpi ") else (ScpiLaser, scpi_laser)
        with room(make, name.rpartition(" ")[2]) as there:
            yield driver.from_settings(LaserSettings(there.address, 850.0, driver.Options()))


def test_laser(laser: Laser) -> None:
    assert isinstance(laser, Laser) and not laser.emission
    assert laser.wavelength_nm == 850.0 and laser.name
    laser.emission = True
    laser.power_mw = 5.0
    assert laser.power_mw == pytest.approx(5.0)
    low, high = laser.power_range_mw
    for wrong in (1e6, low - 1.0):
        with pytest.raises(DeviceValueError, match=f"allowed is {low}"):
            laser.power_mw = wrong
    assert high == 100.0
    laser.emission = False
    assert not laser.emission
    laser.close()
    laser.close()


@pytest.mark.parametrize("line", ["tcp", "pty"])
@pytest.mark.parametrize(("driver", "make"), [(ObisLaser, obis), (ScpiLaser, scpi_laser)])
def test_its_light_reaches_the_rooms_meter_as_soon_as_it_says_so(
    driver: type[ScpiLaser], make: MakeLaser, line: str
) -> None:
    with room(make, line) as there, room(pm100, line, there.laboratory) as beside:
        laser = driver.from_settings(LaserSettings(there.address, 850.0, driver.Options()))
        meter = Pm100.from_settings(MeterSettings(beside.address, 850.0, Pm100Options()))
        assert meter.read_mw() == 0.0
        laser.power_mw = 20.0
        laser.emission = True
        if driver is ObisLaser:  # it knows no *OPC?: its shutter's time is waited for
            there.laboratory.world.clock.sleep_s(laser.timing.total_ms / 1e3)
        assert meter.read_mw() == pytest.approx(20.0, rel=0.05)
        laser.close()
        assert there.laboratory.laser.emission is False


def opened(there: Room, driver: type[ScpiLaser]) -> ScpiLaser:
    return driver.from_settings(
        LaserSettings(there.address, 850.0, OBIS if driver is ObisLaser else PLAIN)
    )


@pytest.mark.parametrize(("driver", "make"), [(ObisLaser, obis), (ScpiLaser, scpi_laser)])
def test_interlock_and_warm_up_keep_it_dark(driver: type[ScpiLaser], make: MakeLaser) -> None:
    with room(make) as there:
        laser, instrument = opened(there, driver), there.instrument
        assert isinstance(instrument, LaserInstrument)
        instrument.warm = False
        assert laser.state == "warming up"
        with pytest.raises(DeviceStateError, match="is warming up; try again"):
            laser.emission = True
        instrument.warm = True
        laser.emission = True
        assert laser.state == "emitting"
        instrument.open_interlock()
        assert laser.state == "interlocked" and not laser.emission
        with pytest.raises(DeviceStateError, match="interlock is open"):
            laser.emission = True
        assert not laser.emission
        laser.close()


def test_a_laser_that_tells_no_interlock_and_stays_dark_is_noticed() -> None:
    with room(scpi_laser) as there:
        laser = ScpiLaser.from_settings(
            LaserSettings(there.address, 850.0, ScpiDialect(timeout_ms=100))
        )
        assert isinstance(there.instrument, LaserInstrument)
        there.instrument.interlock_closed = False
        with pytest.raises(DeviceError, match="stays dark; check interlock"):
            laser.emission = True
        laser.close()


def test_an_order_to_switch_off_ends_switching_on_at_once() -> None:
    with laser_server() as server:
        words = ObisLaser.Options(timeout_ms=600_000)
        laser = ObisLaser.from_settings(LaserSettings(server.address, 850.0, words))
        server.on_switch = lambda on: laser.send_off() if on else None
        with pytest.raises(DeviceStateError, match="switched off while it was being switched on"):
            laser.emission = True
        assert server.lit == 1 and not laser.emission
        laser.close()


def test_what_the_error_queue_holds_is_said() -> None:
    words = ScpiDialect(set_power="SOUR:PWR {power}", timeout_ms=300)
    with room(scpi_laser) as there:
        laser = ScpiLaser.from_settings(LaserSettings(there.address, 850.0, words))
        with pytest.raises(DeviceError, match=r"SOUR:PWR 0\.005.*-113.*Undefined header"):
            laser.power_mw = 5.0
        assert laser.power_mw == pytest.approx(10.0)
        laser.close()


@pytest.mark.parametrize("line", ["tcp", "pty"])
def test_a_late_reply_is_not_the_next_ones(line: str) -> None:
    with room(scpi_laser, line) as there:
        laser = opened(there, ScpiLaser)
        kept: list[bytes] = []

        def keep(answer: bytes) -> list[bytes]:
            kept.append(answer)
            return []

        there.line.trouble = keep
        with pytest.raises(DeviceTimeoutError, match=r"SOUR:POW\?: no answer in time"):
            _ = laser.power_mw
        # It comes with the next answer, long after nobody waits for it any more.
        there.line.trouble = lambda answer: [kept.pop(), answer] if kept else [answer]
        assert laser.emission is False
        assert laser.power_mw == pytest.approx(10.0)
        laser.close()


@pytest.mark.parametrize("line", ["tcp", "pty"])
def test_half_a_reply_is_a_timeout_and_the_rest_is_no_answer(line: str) -> None:
    with room(scpi_laser, line) as there:
        laser = opened(there, ScpiLaser)
        there.line.trouble = lambda answer: [answer[:3]]
        with pytest.raises(DeviceTimeoutError):
            _ = laser.power_mw
        there.line.trouble = lambda answer: [answer]
        assert laser.power_mw == pytest.approx(10.0)
        laser.close()


@pytest.mark.parametrize("line", ["tcp", "pty"])
def test_garbage_is_said_and_forgotten(line: str) -> None:
    with room(scpi_laser, line) as there:
        laser = opened(there, ScpiLaser)
        there.line.trouble = lambda answer: [b"\xff\xfe\x80" + answer]
        with pytest.raises(DeviceDisconnectedError, match="no text; check baud rate"):
            _ = laser.power_mw
        there.line.trouble = lambda answer: [b"*#" + answer]
        with pytest.raises(DeviceError, match="which is no number"):
            _ = laser.power_mw
        there.line.trouble = lambda answer: [answer]
        assert laser.power_mw == pytest.approx(10.0)
        laser.close()


def test_a_pulled_cable_and_a_closed_laser_raise_different_errors() -> None:
    with room(scpi_laser) as there:
        laser = opened(there, ScpiLaser)
        assert isinstance(there.line, TcpLine)
        there.line.hang_up()
        for _ in range(2):
            with pytest.raises((DeviceDisconnectedError, DeviceTimeoutError)):
                _ = laser.power_mw
        with pytest.raises(DeviceError):
            laser.close()
        with pytest.raises(DeviceStateError, match="is closed"):
            _ = laser.power_mw


@pytest.mark.parametrize(
    "address",
    [
        "TCPIP::127.0.0.1::{port}::SOCKET",
        "ASRL/dev/ttyNothing::INSTR",
        "TCPIP::127.0.0.1::SOCKET::INSTR::9",
        "nonsense",
        "GPIB0::9::INSTR",
    ],
)
def test_what_is_not_there_is_said_with_its_address(address: str) -> None:
    with TcpLine(lambda received: ([], b"")) as line:
        address = address.format(port=line.port)
    with pytest.raises(DeviceNotFoundError, match=r"VISA .*(not found|does not answer)") as caught:
        ScpiLaser.from_settings(LaserSettings(address, 850.0, PLAIN))
    assert repr(address) in str(caught.value)


def test_a_port_where_something_else_listens_is_no_laser() -> None:
    with (
        TcpLine(lambda received: ([], b"")) as line,
        pytest.raises(DeviceNotFoundError, match="does not answer as an instrument"),
    ):
        ScpiLaser.from_settings(LaserSettings(line.address, 850.0, PLAIN))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"set_power": "POW"}, r"\{power\} is missing"),
        ({"set_power": "POW {watts}"}, r"set_power = .*expected a command with \{power\}"),
        ({"ask_greatest": ""}, "greatest_mw: is missing"),
        ({"timeout_ms": 0}, "timeout_ms"),
    ],
)
def test_a_dialect_that_can_not_be_is_said(options: dict[str, object], words: str) -> None:
    with pytest.raises(DeviceValueError, match=words):
        ScpiDialect(**options)  # type: ignore[arg-type]


def test_solstis_light_tuning_and_states() -> None:
    laboratory = MockLaboratory.create(GEOMETRY, seed=1)
    with solstis(laboratory) as (laser, protocol, _), room(pm100, "tcp", laboratory) as beside:
        meter = Pm100.from_settings(MeterSettings(beside.address, 850.0, Pm100Options()))
        laser.emission = True
        assert meter.read_mw() > 5.0 and laser.emission
        laser.tune(852.25)
        assert laser.wavelength_nm == protocol.wavelength_nm == 852.25
        with pytest.raises(DeviceValueError, match=r"2000 nm: the wavelength is out of range"):
            laser.tune(2000.0)
        laser.emission = False
        protocol.temperature_on = False
        with pytest.raises(DeviceStateError, match="is it warm"):
            laser.emission = True
        protocol.wavelength_nm = 900.0
    with (
        pytest.raises(DeviceNotFoundError, match="stands at 900"),
        TcpLine(messages_of(protocol)) as line,
    ):
        Solstis.from_settings(LaserSettings(f"127.0.0.1:{line.port}", 850.0, SolstisOptions()))


def test_solstis_without_a_pump_says_what_it_can_not_do() -> None:
    laboratory = MockLaboratory.create(GEOMETRY, seed=1)
    with solstis(laboratory, SolstisOptions(tune=True, power_mw=10.0)) as (laser, _, _):
        laser.emission = False  # it is dark: nothing to do
        with pytest.raises(DeviceError, match="cannot be switched on without its pump"):
            laser.emission = True
        laser.power_mw = 10.0
        with pytest.raises(DeviceValueError, match="pump_address"):
            laser.power_mw = 20.0


def test_solstis_replies_that_are_late_cut_or_garbled() -> None:
    with solstis(MockLaboratory.create(GEOMETRY, seed=1)) as (laser, _, line):
        kept: list[bytes] = []

        def keep(answer: bytes) -> list[bytes]:
            kept.append(answer)
            return [answer[:20]]

        line.trouble = keep
        with pytest.raises(DeviceTimeoutError, match="get_status: no answer in time"):
            _ = laser.wavelength_nm
        late = kept[0][20:]
        line.trouble = lambda answer: [late + answer[:7], answer[7:]]
        assert laser.wavelength_nm == 850.0
        line.trouble = lambda answer: [answer[:30]]
        with pytest.raises(DeviceTimeoutError):
            _ = laser.wavelength_nm
        line.trouble = lambda answer: [answer]
        assert laser.wavelength_nm == 850.0, "one that was cut for good is not waited for"
        line.trouble = lambda answer: [b"\xff\x00"]
        with pytest.raises(DeviceDisconnectedError, match="no message of this protocol"):
            _ = laser.wavelength_nm
        with pytest.raises(DeviceStateError, match="is closed"):
            laser.emission = False


@pytest.mark.parametrize(
    ("remote", "words"), [("10.0.0.9", "refuses the link; set 127.0.0.1 as the remote")]
)
def test_solstis_that_serves_another_or_nobody(remote: str, words: str) -> None:
    protocol = SolstisProtocol(MockLaboratory.create(GEOMETRY, seed=1), remote)
    with TcpLine(messages_of(protocol)) as line:
        with pytest.raises(DeviceNotFoundError, match=words):
            Solstis.from_settings(LaserSettings(f"127.0.0.1:{line.port}", 850.0, SolstisOptions()))
        port = line.port
    with pytest.raises(DeviceNotFoundError, match="ICE-BLOC's page"):
        Solstis.from_settings(LaserSettings(f"127.0.0.1:{port}", 850.0, SolstisOptions()))
    with pytest.raises(DeviceValueError, match='expected "host"'):
        Solstis.from_settings(LaserSettings("127.0.0.1:many", 850.0, SolstisOptions()))
