"""The power meter beside an engine's bench; one that fails does not hold the bench up."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from drivers.errors import DeviceError
from drivers.meter.wavelength import WavelengthMeter
from drivers.protocols import PowerMeter
from labdiff.bench.bench import Bench
from labdiff.bench.mock_bench import MOCK, MockBench
from labdiff.bench.openers import meter_opener
from labdiff.config.bench import BenchConfig, MeterConfig
from labdiff.engine.status import DeviceState, Setting
from labdiff.errors import UserError

AGAIN_S = 10.0
"""Time for which a meter that did not answer is left alone: waiting for it would hold frames up."""


class MeterReader:
    """Reads a power meter, and opens it again some time after it has failed.

    Args:
        given: Its section of the bench file.
        open_meter: Opens it.
        clock: Returns the time, s.
    """

    def __init__(
        self,
        given: MeterConfig,
        open_meter: Callable[[], PowerMeter],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given, self._open, self._clock = given, open_meter, clock
        self._meter: PowerMeter | None = None
        self._name, self._problem, self._due_s = "power meter", "", float("-inf")

    def state(self) -> DeviceState:
        """Read it, unless it has just failed; the problem says why there is no reading."""
        settings: tuple[Setting, ...] = ()
        if self._clock() >= self._due_s:
            try:
                settings = self._read()
                self._problem = ""
            except (DeviceError, UserError) as error:
                self._problem, self._due_s = str(error), self._clock() + AGAIN_S
                self.close()
        known = not self._problem
        return DeviceState("meter", self._given.driver, self._name, known, settings, self._problem)

    def close(self) -> None:
        """Let go of the meter."""
        meter, self._meter = self._meter, None
        if meter is not None:
            with suppress(DeviceError):
                meter.close()

    def _read(self) -> tuple[Setting, ...]:
        if self._meter is None:
            self._meter = self._open()
            self._name = self._meter.name
        power = Setting("power", None, self._meter.read_mw(), "mW")
        if not isinstance(self._meter, WavelengthMeter):
            return (power,)
        return power, Setting("wavelength", None, self._meter.wavelength_nm, "nm")


def meter_reader(config: BenchConfig, bench: Bench) -> MeterReader | None:
    """Return the reader of a bench file's power meter; None where it names none. Opens nothing yet.

    Raises:
        UserError: For an unknown driver, a wrong option, or a simulated meter beside a real laser.
    """
    given = config.meter
    if given is None:
        return None
    if given.driver != MOCK:
        return MeterReader(given, meter_opener(given, config.source.wavelength_nm))
    if not isinstance(bench, MockBench):
        raise UserError('meter.driver = "mock": a simulated meter reads a simulated laser alone')
    meter = bench.laboratory.power_meter
    return MeterReader(given, lambda: meter)
