"""An SLM shown by slmPy: on another computer over TCP, or on a monitor of this one.

slmPy (wavefrontshaping/slmPy) is not on PyPI: the package of that name there is an unrelated one. Its
TCP protocol is spoken here without it; only a monitor of this computer needs slmPy itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceNotFoundError, DeviceStateError, DeviceValueError
from drivers.phase import PhaseQuantiser, check_pattern
from drivers.slm.slmpy_tcp import SlmPyConnection
from drivers.types import FloatArray, PatternId, Timing

Grey = npt.NDArray[np.uint8]
PORT = 9999
LOCAL = "monitor:"


class Display(Protocol):
    """Whatever shows grey levels."""

    def show(self, grey: Grey) -> None:
        """Show (height, width) and return when it is on its way to the panel."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class SlmPy:
    """8-bit grey levels, wrapped and quantised here."""

    def __init__(self, display: Display, shape: tuple[int, int], pixel_pitch_um: float) -> None:
        self._display = display
        self._shape = shape
        self._pitch_um = pixel_pitch_um
        self._quantise = PhaseQuantiser(8)
        self._pattern: PatternId = 0
        self._closed = False

    @classmethod
    def from_settings(cls, shape: tuple[int, int], pixel_pitch_um: float, address: str) -> SlmPy:
        """address: "host" or "host:port" of slmPy's server (port 9999 if not given), or "monitor:1".

        Raises DeviceNotFoundError if nothing answers there, or slmPy is needed and missing;
        DeviceValueError for an address of another form.
        """
        if address.startswith(LOCAL):
            return cls(_Monitor(_number(address, LOCAL), shape), shape, pixel_pitch_um)
        host, colon, _ = address.partition(":")
        port = _number(address, f"{host}:") if colon else PORT
        return cls(SlmPyConnection(host, port), shape, pixel_pitch_um)

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

    def _send(self, grey: Grey) -> PatternId:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        self._display.show(grey)
        self._pattern += 1
        return self._pattern

    def close(self) -> None:
        """Flat, and let go."""
        if not self._closed:
            try:
                self._send(np.zeros(self._shape, np.uint8))
            finally:
                self._closed = True
                self._display.close()


class _Monitor:
    """A monitor of this computer, through slmPy's own window."""

    def __init__(self, number: int, shape: tuple[int, int]) -> None:
        try:
            slmpy: Any = import_module("slmpy")
        except ImportError as error:
            raise DeviceNotFoundError(
                f"slmPy for monitor {number}: {error}; install it from its GitHub repository "
                "(wavefrontshaping/slmPy), with wxPython"
            ) from error
        if not hasattr(slmpy, "SLMdisplay"):
            raise DeviceNotFoundError(
                "slmPy: the installed 'slmpy' is PyPI's, an unrelated package; pip uninstall slmpy, "
                "then install slmPy from its GitHub repository (wavefrontshaping/slmPy)"
            )
        try:
            self._window: Any = slmpy.SLMdisplay(monitor=number, isImageLock=True)
            width, height = self._window.getSize()
        except Exception as error:  # slmPy and wxPython raise bare exceptions of many kinds
            raise DeviceNotFoundError(f"slmPy: monitor {number}: {error}") from error
        if (height, width) != shape:
            self._window.close()
            raise DeviceValueError(
                f"slmPy: monitor {number} has {height} x {width} pixels; slm.shape says "
                f"{shape[0]} x {shape[1]}. Is it the SLM's monitor, at its native size?"
            )

    def show(self, grey: Grey) -> None:
        self._window.updateArray(grey)

    def close(self) -> None:
        self._window.close()


def _number(address: str, before: str) -> int:
    try:
        return int(address.removeprefix(before))
    except ValueError:
        raise DeviceValueError(
            f'slm.address = {address!r}: expected "host", "host:port" or "monitor:number"'
        ) from None
