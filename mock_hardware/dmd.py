"""A DMD that writes the input image as amplitude."""

from __future__ import annotations

import numpy as np

from drivers.errors import DeviceValueError
from drivers.phase_quantiser import check_pattern
from drivers.types import FloatArray, PatternId, Timing
from mock_hardware.connection import Connection
from mock_hardware.micromirrors import MicromirrorArray
from mock_hardware.world import World


class MockDMD:
    """Superpixels of binary mirrors: the amplitude is the share of mirrors that are on.

    A pattern is loaded, then the mirrors move. A sequence is played by the device's own clock; the next
    pattern is loaded while one stands.
    """

    def __init__(self, world: World, mirrors: MicromirrorArray) -> None:
        self._world, self.mirrors, self._settings = world, mirrors, world.settings.dmd
        self.connection = Connection(world, self.name, "dmd_unplugged", "dmd_timeout", self._park)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock DMD"

    @property
    def timing(self) -> Timing:
        """Load time and mirror motion."""
        return Timing(self._settings.load_us * 1e-3, self._settings.mirror_us * 1e-3)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field."""
        return self._world.geometry.patch_shape

    def show(self, field: FloatArray) -> PatternId:
        """Display an amplitude in 0 ... 1."""
        return self._show(field[None], 0.0)[0]

    @property
    def has_trigger_output(self) -> bool:
        """True: it plays fields by its own clock."""
        return True

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Display amplitudes (B, h, w), one each period."""
        if period_ms < self.timing.total_ms:
            raise DeviceValueError(
                f"{self.name}: a period of {period_ms} ms; at least {self.timing.total_ms} ms are needed"
            )
        return self._show(fields, period_ms * 1e-3)

    def _show(self, fields: FloatArray, period_s: float) -> list[PatternId]:
        self.connection.call()
        for field in fields:
            check_pattern(self.name, field, self.shape)
            if field.min() < 0.0 or field.max() > 1.0:
                raise DeviceValueError(f"{self.name}: amplitude outside 0 ... 1")
        self._world.before_change()
        now_s = self._world.clock.now_s()
        superpixel = self._settings.mirrors_per_superpixel
        self.mirrors.cancel_after(now_s)
        first_s = now_s + self.timing.latency_ms * 1e-3
        patterns = []
        for number, field in enumerate(fields):
            moves_s = first_s + number * period_s
            stands_s = moves_s + self.timing.duration_ms * 1e-3
            on = (np.round(field * superpixel) / superpixel).astype(np.float32)
            patterns.append(self.mirrors.append(on, moves_s, stands_s))
            self._world.trigger(stands_s)
        return patterns

    def close(self) -> None:
        """Switch all mirrors off and take no further patterns."""
        self._park()
        self.connection.closed = True

    def reopen(self) -> None:
        """Connect anew, dark. Raises DeviceNotFoundError while unplugged."""
        self.connection.open()
        self._park()

    def _park(self) -> None:
        """Switch all mirrors off at once, as when the power goes: a pattern of its own."""
        self._world.before_change()
        now_s = self._world.clock.now_s()
        self.mirrors.cancel_after(now_s)
        self.mirrors.append(np.zeros(self.shape, np.float32), now_s, now_s)
