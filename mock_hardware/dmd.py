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
    """Superpixels with 256 binary pixels each: amplitude in 256 steps, (h, w) of a patch."""

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab = laboratory
        self._pattern: PatternId = 0
        self._closed = False
        self._shown_s = float("-inf")
        self._field = np.zeros(self.shape, np.float32)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock DMD"

    @property
    def timing(self) -> Timing:
        """Load time and mirror motion of the paper's device."""
        return Timing(latency_ms=0.0432, duration_ms=0.008)

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
        self._field = (np.round(field * 255.0) / 255.0).astype(np.float32)
        self._shown_s = self._lab.clock.now_s()
        self._pattern += 1
        return self._pattern

    def close(self) -> None:
        """Dark, and no further patterns."""
        self._field = np.zeros(self.shape, np.float32)
        self._closed = True

    def field_at(self, now_s: float) -> tuple[FloatArray, PatternId | None]:
        """The amplitude at a moment, and whose it is; None while the mirrors move."""
        settled = (now_s - self._shown_s) * 1e3 >= self.timing.total_ms - 1e-6
        return self._field, self._pattern if settled else None
