"""The window's engine without light, whose laser is a real driver on a real line."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

from drivers.errors import DeviceError
from drivers.laser.profile import shipped_driver
from drivers.settings import LaserSettings
from drivers.types import Frame
from labdiff.engine import commands as ask
from labdiff.engine.status import EngineEvent
from labdiff.events import Event
from tests.unit.gui import fake_engine

ADDRESS = "LABDIFF_TEST_LASER"
"""Name of the environment variable with the laser's address."""
STUCK_BATCH = 5
STUCK_S = 60.0


class Engine(fake_engine.Engine):
    """Its training takes no command for a minute at batch 5."""

    def __init__(self, tell: Callable[[EngineEvent], None], show: Callable[[Frame], None]) -> None:
        super().__init__(tell, show)
        obis = shipped_driver("obis")
        settings = LaserSettings(os.environ[ADDRESS], 850.0, obis.Options())
        self._laser = obis.from_settings(settings)

    def laser_off(self) -> None:
        super().laser_off()
        self._laser.send_off()

    def serve(self, take: Callable[[float], ask.Command | None]) -> None:
        try:
            super().serve(take)
        finally:
            self._laser.close()

    def _obey(self, command: ask.Command) -> None:
        if isinstance(command, ask.SetEmission):
            with contextlib.suppress(DeviceError):  # it stays dark where it was made safe meanwhile
                self._laser.emission = command.on
        super()._obey(command)

    def _training(self, batch: int) -> Iterator[Event]:
        for event in super()._training(batch):
            yield event
            if batch == STUCK_BATCH:
                time.sleep(STUCK_S)
