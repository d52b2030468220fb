"""An SLM on a computer that runs slmPy's server; grey levels go over TCP."""

from __future__ import annotations

from typing import Any

import numpy as np

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceValueError,
)
from drivers.phase import PhaseQuantiser, check_pattern
from drivers.types import FloatArray, PatternId, Timing


class SlmPy:
    """client: a connected slmPy Client (sendArray, close)."""

    def __init__(self, client: Any, shape: tuple[int, int], pixel_pitch_um: float) -> None:
        self._client = client
        self._shape = shape
        self._pitch_um = pixel_pitch_um
        self._quantise = PhaseQuantiser(8)
        self._pattern: PatternId = 0
        self._closed = False

    @classmethod
    def from_settings(cls, shape: tuple[int, int], pixel_pitch_um: float, address: str) -> SlmPy:
        """address: "host" or "host:port"; the port is 9999 if not given."""
        host, _, port = address.partition(":")
        try:
            import slmpy  # type: ignore[import-not-found,unused-ignore]

            client = slmpy.Client()
            client.start(host, port=int(port or 9999))
        except (ImportError, OSError, ValueError) as error:
            raise DeviceNotFoundError(f"slmPy at {address!r}: {error}") from error
        return cls(client, shape, pixel_pitch_um)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return "SLM through slmPy"

    @property
    def timing(self) -> Timing:
        """Network and one refresh at 60 Hz, then the liquid crystal."""
        return Timing(latency_ms=50.0, duration_ms=30.0)

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
        return 8

    @property
    def shown(self) -> PatternId | None:
        """None: the picture goes one way, over a video cable, and nothing comes back."""
        return None

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (256,) radians; None: linear over 2 pi."""
        self._quantise = PhaseQuantiser(8, phase_by_grey_rad)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern, (height, width)."""
        check_pattern(self.name, phase_rad, self._shape)
        return self._send(self._quantise(phase_rad))

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels, (height, width)."""
        check_pattern(self.name, grey, self._shape)
        if grey.min() < 0 or grey.max() > 255:
            raise DeviceValueError(f"{self.name}: grey levels outside 0 ... 255")
        return self._send(grey.astype(np.uint8))

    def _send(self, grey: Any) -> PatternId:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        try:
            self._client.sendArray(grey)
        except OSError as error:
            raise DeviceDisconnectedError(f"{self.name}: {error}") from error
        self._pattern += 1
        return self._pattern

    def close(self) -> None:
        """Flat, and let go."""
        if not self._closed:
            try:
                self._send(np.zeros(self._shape, np.uint8))
            finally:
                self._closed = True
                self._client.close()
