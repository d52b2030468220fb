"""An SLM shown by slmPy: on another computer over TCP, or on a monitor of this one.

slmPy (wavefrontshaping/slmPy) is not on PyPI: the package of that name there is an unrelated one. Its
TCP protocol is spoken here without it; only a monitor of this computer needs slmPy itself.
"""

from __future__ import annotations

from typing import Any

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceValueError,
)
from drivers.maker_library import maker_module
from drivers.settings import SlmSettings
from drivers.slm.level_encoding import LevelEncoding, VideoOptions
from drivers.slm.panel import Display, Grey, Panel
from drivers.slm.slmpy_tcp import PORT, SlmPyConnection
from drivers.types import Timing

INSTALL = "install it from its GitHub repository (wavefrontshaping/slmPy), with wxPython"
LOCAL = "monitor:"
"""Beginning of the address of a monitor of this computer."""


class SlmPy(Panel):
    """Grey levels. Network and one refresh at 60 Hz, then the liquid crystal."""

    Options = VideoOptions

    def __init__(
        self, display: Display, shape: tuple[int, int], pixel_pitch_um: float, bits: int = 8
    ) -> None:
        """Take over a display.

        Args:
            display: that shows levels.
            shape: (height, width) of the panel.
            pixel_pitch_um: distance between pixel centres.
            bits: of a level.
        """
        timing = Timing(latency_ms=50.0, duration_ms=30.0)
        super().__init__(display, "SLM through slmPy", shape, pixel_pitch_um, timing, bits)

    @classmethod
    def from_settings(cls, settings: SlmSettings[VideoOptions]) -> SlmPy:
        """Connect to "host" or "host:port" of slmPy's server (port 9999 if not given), or to "monitor:1".

        Raises DeviceNotFoundError if nothing answers there, or slmPy is needed and missing;
        DeviceValueError for an address of another form.
        """
        shape, pixel_pitch_um, address = settings.shape, settings.pixel_pitch_um, settings.address
        encoding = LevelEncoding.parse(settings.options.encoding)
        if address.startswith(LOCAL):
            monitor = _Monitor(_number(address, LOCAL), shape, encoding)
            return cls(monitor, shape, pixel_pitch_um, encoding.bits)
        if encoding.coloured:
            raise DeviceValueError(
                f"slm.options.encoding = {settings.options.encoding!r}: slmPy's server takes one byte a "
                'pixel; attach the panel here, with slm.driver = "screen" or slm.address = "monitor:1"'
            )
        host, colon, _ = address.partition(":")
        port = _number(address, f"{host}:") if colon else PORT
        return cls(SlmPyConnection(host, port), shape, pixel_pitch_um)


class _Monitor:
    """A monitor of this computer, through slmPy's own window."""

    def __init__(self, number: int, shape: tuple[int, int], encoding: LevelEncoding) -> None:
        self._encoding = encoding
        slmpy = maker_module("slmpy", INSTALL, "wxPython")
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
            self.close()
            raise DeviceValueError(
                f"slmPy: monitor {number} has {height} x {width} pixels; slm.shape says "
                f"{shape[0]} x {shape[1]}. Is it the SLM's monitor, at its native size?"
            )

    def show(self, grey: Grey) -> None:
        try:
            coloured = self._encoding.coloured
            self._window.updateArray(self._encoding.colours(grey) if coloured else grey)
        except Exception as error:
            raise DeviceDisconnectedError(f"slmPy: its window does not answer: {error}") from error

    def close(self) -> None:
        self._window.close()


def _number(address: str, before: str) -> int:
    try:
        return int(address.removeprefix(before))
    except ValueError:
        raise DeviceValueError(
            f'slm.address = {address!r}: expected "host", "host:port" or "monitor:number"'
        ) from None
