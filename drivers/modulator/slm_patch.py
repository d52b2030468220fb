"""The input image as phase on one patch of the SLM."""

from __future__ import annotations

import numpy as np

from drivers.errors import DeviceStateError
from drivers.phase_quantiser import check_pattern
from drivers.protocols import SLM
from drivers.types import FloatArray, PatternId, Timing


class SlmPatch:
    """Writes a window of an SLM and leaves the rest of the panel as `background_rad`.

    top, left, shape: the window in panel pixels. The SLM stays the caller's: close() leaves it open.
    """

    def __init__(self, slm: SLM, top: int, left: int, shape: tuple[int, int]) -> None:
        self._slm = slm
        self._shape = shape
        self._window = (slice(top, top + shape[0]), slice(left, left + shape[1]))
        self.background_rad: FloatArray = np.zeros(slm.shape, np.float32)
        check_pattern(self.name, self.background_rad[self._window], shape)

    @property
    def name(self) -> str:
        """The SLM's name."""
        return f"patch of {self._slm.name}"

    @property
    def timing(self) -> Timing:
        """The SLM's timing."""
        return self._slm.timing

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field."""
        return self._shape

    def show(self, field: FloatArray) -> PatternId:
        """Show a phase, (height, width), radians."""
        check_pattern(self.name, field, self._shape)
        panel = self.background_rad.copy()
        panel[self._window] = field
        return self._slm.set_phase(panel)

    @property
    def has_trigger_output(self) -> bool:
        """False: a video signal has no clock of its own."""
        return False

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Raise DeviceStateError: a patch plays no sequences."""
        raise DeviceStateError(f"{self.name}: plays no sequences")

    def close(self) -> None:
        """Do nothing: the SLM is the caller's."""
