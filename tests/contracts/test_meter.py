"""What every power meter promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drivers.errors import DeviceError, DeviceStateError, DeviceValueError
from drivers.meter.pm100 import Pm100, Pm100Options
from drivers.protocols import PowerMeter
from drivers.settings import MeterSettings
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.visa.instruments import pm100
from tests.contracts.visa_rooms import GEOMETRY, room, simulated

BACK_ENDS = (
    "mock",
    "pm100 over tcp",
    "pm100 over pty",
    "pm100 through pyvisa-sim",
    "pm100 on usb of pyvisa-sim",
)


@pytest.fixture(params=BACK_ENDS)
def meter(request: pytest.FixtureRequest) -> Iterator[PowerMeter]:
    name: str = request.param
    if name == "mock":
        yield MockLaboratory.create(GEOMETRY, seed=1).power_meter
    elif "pyvisa-sim" in name:
        usb, net = "USB0::0x1313::0x8078::P0000001::INSTR", "TCPIP0::meter::2000::SOCKET"
        options = Pm100Options(library=simulated())
        yield Pm100.from_settings(MeterSettings(usb if "usb" in name else net, 850.0, options))
    else:
        with room(pm100, name.rpartition(" ")[2]) as there:
            yield Pm100.from_settings(MeterSettings(there.address, 850.0, Pm100Options()))


def test_power_meter(meter: PowerMeter) -> None:
    assert isinstance(meter, PowerMeter) and meter.name
    assert meter.read_mw() >= 0.0
    assert meter.timing.total_ms > 0.0
    meter.close()
    meter.close()


def test_it_reads_the_rooms_light() -> None:
    with room(pm100) as there:
        meter = Pm100.from_settings(MeterSettings(there.address, 850.0, Pm100Options(averages=10)))
        laser = there.laboratory.laser
        laser.power_mw, laser.emission = 40.0, True
        there.laboratory.world.clock.sleep_s(1.0)
        assert meter.read_mw() == pytest.approx(there.laboratory.power_meter.read_mw(), rel=1e-6)
        meter.close()
        with pytest.raises(DeviceStateError):
            meter.read_mw()


def test_a_wavelength_beyond_its_sensor_and_light_beyond_its_range_are_said() -> None:
    with room(pm100) as there:
        with pytest.raises(DeviceValueError, match=r"1550 nm; its sensor takes 400 \.\.\. 1100"):
            Pm100.from_settings(MeterSettings(there.address, 1550.0, Pm100Options()))
        meter = Pm100.from_settings(MeterSettings(there.address, 850.0, Pm100Options()))
        there.instrument.queries["MEAS:POW?"] = lambda: "9.9E+37"
        with pytest.raises(DeviceError, match="beyond its range; attenuate"):
            meter.read_mw()
        meter.close()
    with pytest.raises(DeviceValueError, match="averages"):
        Pm100Options(averages=0)
