"""What SLM drivers share that send whole pictures of grey levels: radians to levels, checks, counting."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.phase_quantiser import PhaseQuantiser, check_pattern
from drivers.types import FloatArray, PatternId, Timing

Grey = npt.NDArray[Any]
"""(height, width) of uint8, or of uint16 beyond 8 bits."""


class Display(Protocol):
    """Whatever shows grey levels."""

    def show(self, grey: Grey) -> None:
        """Show (height, width) and return when it is on its way to the panel."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Panel:
    """An SLM of which nothing comes back; grey levels are chosen here."""

    def __init__(
        self,
        display: Display,
        name: str,
        shape: tuple[int, int],
        pixel_pitch_um: float,
        timing: Timing,
        bits: int = 8,
    ) -> None:
        self._display, self._name = display, name
        self._shape, self._pitch_um, self._timing, self._bits = shape, pixel_pitch_um, timing, bits
        self._quantise = PhaseQuantiser(bits)
        self._pattern: PatternId = 0
        self._closed = False

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._name

    @property
    def timing(self) -> Timing:
        """Until the picture is read out to the panel, then the liquid crystal."""
        return self._timing

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the panel."""
        return self._shape

    @property
    def pixel_pitch_um(self) -> float:
        """Distance between pixel centres."""
        return self._pitch_um

    @property
    def bit_depth(self) -> int:
        """Bits of one grey level."""
        return self._bits

    @property
    def reported_pattern(self) -> PatternId | None:
        """None: the picture goes one way, and nothing comes back."""
        return None

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians; None: linear over 2 pi."""
        self._quantise = PhaseQuantiser(self._bits, phase_by_grey_rad)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern, (height, width)."""
        check_pattern(self.name, phase_rad, self._shape)
        return self._send(self._quantise(phase_rad))

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels, (height, width)."""
        check_pattern(self.name, grey, self._shape)
        most = 2**self._bits - 1
        if grey.min() < 0 or grey.max() > most:
            raise DeviceValueError(f"{self.name}: grey levels outside 0 ... {most}")
        return self._send(grey.astype(np.uint8 if self._bits <= 8 else np.uint16))

    def _send(self, grey: Grey) -> PatternId:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        self._display.show(grey)
        self._pattern += 1
        return self._pattern

    def close(self) -> None:
        """Display a flat pattern, and let go."""
        if not self._closed:
            try:
                self._send(self._quantise(np.zeros(self._shape, np.float32)))
            finally:
                self._closed = True
                self._display.close()
