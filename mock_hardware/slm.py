"""A phase-only liquid-crystal SLM: quantises, bends the phase, and takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.phase import PhaseQuantiser, check_pattern
from drivers.types import FloatArray, PatternId, Timing

if TYPE_CHECKING:
    from mock_hardware.laboratory import MockLaboratory

GreyPanel = npt.NDArray[np.uint8]


class MockSLM:
    """8 bit. A new pattern begins after the latency and has fully come after the duration.

    In between the light sees the old pattern going over into the new one.
    """

    def __init__(self, laboratory: MockLaboratory) -> None:
        self._lab = laboratory
        self._quantise = PhaseQuantiser(self.bit_depth)
        self._closed = False
        self._pattern: PatternId = 0
        self._shown_s = float("-inf")
        self._grey: GreyPanel = np.zeros(self.shape, np.uint8)
        self._before: GreyPanel = self._grey

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "mock SLM"

    @property
    def timing(self) -> Timing:
        """One refresh of a 60 Hz panel and the liquid crystal's own time."""
        return Timing(latency_ms=16.7, duration_ms=10.0)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel."""
        return self._lab.geometry.panel_shape

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres."""
        return self._lab.geometry.pixel_pitch_um

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        return 8

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (256,) radians; None: linear over 2 pi again."""
        self._quantise = PhaseQuantiser(self.bit_depth, phase_by_grey_rad)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern, (height, width)."""
        check_pattern(self.name, phase_rad, self.shape)
        return self._show(self._quantise(phase_rad))

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels, (height, width)."""
        check_pattern(self.name, grey, self.shape)
        if grey.min() < 0 or grey.max() > 255:
            raise DeviceValueError(f"{self.name}: grey levels outside 0 ... 255")
        return self._show(grey.astype(np.uint8))

    def close(self) -> None:
        """Flat, and no further patterns."""
        if not self._closed:
            self._show(np.zeros(self.shape, np.uint8))
            self._closed = True

    def _show(self, grey: GreyPanel) -> PatternId:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        self._before, _ = self.grey_between(self._lab.clock.now_s())
        self._grey = grey
        self._shown_s = self._lab.clock.now_s()
        self._pattern += 1
        return self._pattern

    def grey_between(self, now_s: float) -> tuple[GreyPanel, PatternId | None]:
        """What the light meets at a moment, and whose it is; None while it changes."""
        elapsed_ms = (now_s - self._shown_s) * 1e3
        timing = self.timing
        if elapsed_ms >= timing.total_ms - 1e-6:
            return self._grey, self._pattern
        share = max(0.0, (elapsed_ms - timing.latency_ms) / timing.duration_ms)
        mixed = self._before + share * (self._grey.astype(np.float32) - self._before)
        return mixed.astype(np.uint8), None
