"""Simulated instruments over the mock's light: an OBIS, a plain SCPI laser, a PM100."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from drivers.errors import DeviceError
from mock_hardware.laboratory import MockLaboratory

NO_ERROR = '0,"No error"'
UNKNOWN = '-113,"Undefined header"'
WRONG = '-222,"Data out of range"'
MOST_ERRORS = 20
WARMING_UP = 0x100


class Instrument:
    """An instrument that answers lines.

    commands: what to do with the value behind a command; queries: functions that give the answer.

    An unknown command goes into the error queue, an unknown query is not answered: as real ones do.
    """

    def __init__(self, identity: str, ask_error: str = "SYST:ERR?") -> None:
        self.errors: deque[str] = deque(maxlen=MOST_ERRORS)
        self.commands: dict[str, Callable[[str], object]] = {}
        self.queries: dict[str, Callable[[], str]] = {
            "*IDN?": lambda: identity,
            ask_error: lambda: self.errors.popleft() if self.errors else NO_ERROR,
        }

    def answer(self, line: str) -> str | None:
        """Return the answer to a line, without its end; None if there is none."""
        asked = line.strip().upper()
        if asked in self.queries:
            return self.queries[asked]()
        if asked in self.commands:
            act, value = self.commands[asked], ""
        else:
            head, _, value = asked.rpartition(" ")
            if asked.endswith("?") or head not in self.commands:
                self.errors.append(UNKNOWN)
                return None
            act = self.commands[head]
        try:
            act(value)
        except (DeviceError, ValueError):
            self.errors.append(WRONG)
        return None


class LaserInstrument(Instrument):
    """A laser, power in W, over the mock's laser; tests set `interlock_closed` and `warm`."""

    def __init__(self, laboratory: MockLaboratory, identity: str, ask_error: str) -> None:
        super().__init__(identity, ask_error)
        self._lab = laboratory
        self.interlock_closed = self.warm = True

    def switch(self, on: bool) -> None:
        """Switch the emission as its button does; an open interlock keeps it dark."""
        self._lab.laser.emission = on and self.interlock_closed

    def open_interlock(self) -> None:
        """Open the interlock, as a door does: the laser is dark at once."""
        self.interlock_closed = False
        self._lab.world.laser_output.interlock()

    def done(self) -> str:
        """Wait until the shutter has moved, then answer."""
        self._lab.world.clock.sleep_s(self._lab.laser.timing.total_ms / 1e3)
        return "1"

    @property
    def emission(self) -> str:
        """Emission, "ON" or "OFF"."""
        return "ON" if self._lab.laser.emission else "OFF"

    def set_power(self, watts: str) -> None:
        """Set the power, W; raises as the mock's laser does."""
        self._lab.laser.power_mw = 1e3 * float(watts)

    @property
    def power(self) -> str:
        """Power in W."""
        return f"{1e-3 * self._lab.laser.power_mw:.6f}"

    def limit(self, end: int) -> str:
        """Return a limit of the power in W; 0: least, 1: greatest."""
        return f"{1e-3 * self._lab.laser.power_range_mw[end]:.6f}"


def obis(laboratory: MockLaboratory) -> LaserInstrument:
    """Return a laser that speaks as Coherent's OBIS does, which knows no *OPC?."""
    laser = LaserInstrument(laboratory, "Coherent, Inc - OBIS 850nm (mock)", "SYST:ERR:NEXT?")
    laser.commands |= {
        "SYST:COMM:HAND": str,
        "SOUR:AM:STAT": lambda value: laser.switch(value == "ON"),
        "SOUR:POW:LEV:IMM:AMPL": laser.set_power,
    }
    laser.queries |= {
        "SOUR:AM:STAT?": lambda: laser.emission,
        "SOUR:POW:LEV:IMM:AMPL?": lambda: laser.power,
        "SOUR:POW:LIM:LOW?": lambda: laser.limit(0),
        "SOUR:POW:LIM:HIGH?": lambda: laser.limit(1),
        "SYST:LOCK?": lambda: "ON" if laser.interlock_closed else "OFF",
        "SYST:STAT?": lambda: f"{0 if laser.warm else WARMING_UP:08X}",
    }
    return laser


def scpi_laser(laboratory: MockLaboratory) -> LaserInstrument:
    """Return a laser that speaks plain SCPI, as most others do."""
    laser = LaserInstrument(laboratory, "Mock Lasers,SL-850,0001,1.0", "SYST:ERR?")
    laser.commands |= {
        "OUTP": lambda value: laser.switch(value in ("ON", "1")),
        "SOUR:POW": laser.set_power,
    }
    laser.queries |= {
        "OUTP?": lambda: "1" if laser.emission == "ON" else "0",
        "SOUR:POW?": lambda: laser.power,
        "SOUR:POW? MIN": lambda: laser.limit(0),
        "SOUR:POW? MAX": lambda: laser.limit(1),
        "*OPC?": laser.done,
        "LOCK?": lambda: "1" if laser.interlock_closed else "0",
        "WARM?": lambda: "READY" if laser.warm else "WARMING",
    }
    return laser


def pm100(laboratory: MockLaboratory) -> Instrument:
    """Return a power meter in the mock laser's beam."""
    meter = Instrument("Thorlabs,PM100D,P0000001,2.4.0")
    meter.commands |= {
        "SENS:POW:UNIT": str,
        "SENS:POW:RANG:AUTO": str,
        "SENS:AVER:COUN": int,
        "SENS:CORR:WAV": float,
    }
    meter.queries |= {
        "MEAS:POW?": lambda: f"{1e-3 * laboratory.power_meter.read_mw():.6E}",
        "SENS:CORR:WAV? MIN": lambda: "400",
        "SENS:CORR:WAV? MAX": lambda: "1100",
    }
    return meter
