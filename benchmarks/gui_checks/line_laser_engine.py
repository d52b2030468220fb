"""The engine, on a mock bench whose laser is also a real driver on a TCP line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from unittest.mock import patch

from drivers.laser.profile import shipped_driver
from drivers.laser.wrapper import LaserWrapper
from drivers.protocols import Laser
from drivers.settings import LaserSettings
from drivers.types import Frame
from drivers.wrapper import DeviceSetting, V
from labdiff.bench.bench import Bench
from labdiff.bench.compose import OpenedDevices, patch_layout, reconnecting
from labdiff.bench.mock_bench import MockBench, mock_geometry
from labdiff.bench.openers import Opened
from labdiff.config.bench import BenchConfig
from labdiff.engine import opened_bench
from labdiff.engine.engine import Engine as Whole
from labdiff.engine.status import EngineEvent
from mock_hardware.laboratory import MockLaboratory

ADDRESS = "LABDIFF_TEST_LASER"
"""Name of the environment variable with the laser's address."""


class LineLaser(LaserWrapper):
    """A mock laser, whose light the camera sees, and one on a line that is switched with it."""

    def __init__(self, mock: Laser, on_line: Laser) -> None:
        super().__init__(mock)
        self._on_line = on_line

    def _set(self, setting: DeviceSetting[Laser, V], value: V) -> None:
        super()._set(setting, value)
        if setting.name == "emission":
            self._on_line.emission = bool(value)

    def send_off(self) -> None:
        """Send OFF to the line first."""
        self._on_line.send_off()
        super().send_off()

    def close(self) -> None:
        """Close both."""
        with suppress(Exception):
            self._on_line.close()
        super().close()


def open_bench(config: BenchConfig, seed: int) -> Bench:
    """Open a mock bench with such a laser."""
    laboratory = MockLaboratory.create(mock_geometry(config), config.mock, seed)
    obis = shipped_driver("obis")
    settings = LaserSettings(os.environ[ADDRESS], config.source.wavelength_nm, obis.Options())
    laser = LineLaser(laboratory.laser, obis.from_settings(settings))
    opened = OpenedDevices(
        slm=Opened(laboratory.slm, lambda: laboratory.slm),
        camera=Opened(laboratory.camera, lambda: laboratory.camera),
        laser=Opened(laser, lambda: laser),
        dmd=None,
    )
    found = reconnecting(config, opened, laboratory.world.clock, frames_name_patterns=True)
    bench = MockBench(
        patch_layout(config), found.devices, found.fault_log, config.watchdog.saturated_share
    )
    bench.laboratory = laboratory
    return bench


class Engine(Whole):
    """Opens that bench; everything else is as it is."""

    def __init__(
        self, emit: Callable[[EngineEvent], None], show_frame: Callable[[Frame], None]
    ) -> None:
        # In the bench's own process alone, never where this module is only imported.
        patch.object(opened_bench, "open_bench", open_bench).start()
        super().__init__(emit, show_frame)
