"""A DMD that writes the input image as amplitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.phase import check_pattern
from drivers.types import FloatArray, PatternId, Timing

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory


class MockDMD:
    """Superpixels of binary mirrors: the amplitude is the share of mirrors that are on.

    A pattern is loaded, then the mirrors move; while they move, the light goes nowhere.
    """

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab, self._dials = laboratory, laboratory.dials.dmd
        self._pattern: PatternId = 0
        self._closed = False
        self._moves_s = self._settled_s = float("-inf")
        self._field = self._before = np.zeros(self.shape, np.float32)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock DMD"

    @property
    def timing(self) -> Timing:
        """Load time and mirror motion."""
        return Timing(self._dials.load_us * 1e-3, self._dials.mirror_us * 1e-3)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field."""
        return self._lab.geometry.patch_shape

    def show(self, field: FloatArray) -> PatternId:
        """Show an amplitude in 0 ... 1."""
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        check_pattern(self.name, field, self.shape)
        if field.min() < 0.0 or field.max() > 1.0:
            raise DeviceValueError(f"{self.name}: amplitude outside 0 ... 1")
        self._lab.before_change()
        mirrors = self._dials.mirrors_per_superpixel
        self._before = self._field
        self._field = (np.round(field * mirrors) / mirrors).astype(np.float32)
        self._moves_s = self._lab.clock.now_s() + self.timing.latency_ms * 1e-3
        self._settled_s = self._moves_s + self.timing.duration_ms * 1e-3
        self._pattern += 1
        self._lab.trigger(self._settled_s)
        return self._pattern

    def close(self) -> None:
        """Dark, and no further patterns."""
        self._field = self._before = np.zeros(self.shape, np.float32)
        self._closed = True

    def field(self, now_s: float) -> FloatArray:
        """The amplitude (h, w) at a moment."""
        if now_s < self._moves_s:
            return self._before
        return self._field if now_s >= self._settled_s else np.zeros_like(self._field)

    def pattern_during(self, start_s: float, end_s: float) -> PatternId | None:
        """The pattern that stood still from start to end; None if mirrors moved."""
        if start_s >= self._settled_s - 1e-9:
            return self._pattern
        return self._pattern - 1 if end_s <= self._moves_s + 1e-9 else None
