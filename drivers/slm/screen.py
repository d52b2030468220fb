"""An SLM on a monitor output of this computer: our own full-screen window, in a process of its own.

The window outlives the program that opened it. It is flat after that closed in good order, and also some
seconds after it died, unless another program takes the pattern over. One program at a time owns it. The
monitor is chosen by identity and never the primary.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceStateError,
    DeviceValueError,
)
from drivers.phase_quantiser import PhaseQuantiser, check_pattern
from drivers.settings import SlmSettings
from drivers.slm.level_encoding import GREY, LevelEncoding, VideoOptions
from drivers.slm.panel import Grey
from drivers.slm.window_files import WindowState, place
from drivers.slm.window_link import WindowLink, window_on
from drivers.types import FloatArray, PatternId, Timing

Levels = npt.NDArray[np.uint8]
"""(height, width) levels, or (height, width, 3) colours."""
CRYSTAL_MS = 30.0
"""Time until the liquid crystal has settled, for slow ones; calibration measures it."""


@dataclass(frozen=True, slots=True)
class Swap:
    """When a pattern became the picture on the video output.

    copied_s: when the whole pattern lay in the frame buffer. time_s: the first vertical blank after it,
    from which the monitor reads it out. Both seconds of time.monotonic.
    """

    pattern: PatternId
    copied_s: float
    time_s: float


class Screen:
    """Grey levels, wrapped and quantised here; `set_phase` returns after the swap.

    8 bits, or as many as the encoding of levels in colours has.
    """

    Options = VideoOptions

    def __init__(
        self,
        state: WindowState,
        shape: tuple[int, int],
        pixel_pitch_um: float,
        encoding: str = GREY,
    ) -> None:
        """Take over a window.

        Args:
            state: of the window.
            shape: (height, width) of the panel.
            pixel_pitch_um: distance between pixel centres.
            encoding: of levels in colours.
        """
        self._monitor = state.monitor
        self._encoding = LevelEncoding.parse(encoding)
        self._shape, self._pitch_um = shape, pixel_pitch_um
        self._link = WindowLink(state)
        try:
            found = self._link.ask("own")
        except DeviceError:
            self._link.close()
            raise
        self.taken_over: str = found["stands"]
        self.swap_method: str = found["swap"]
        room = (*shape, 3) if self._encoding.coloured else shape
        self._pixels: Levels = np.memmap(place(state.ticket, "pixels"), np.uint8, "r+", 0, room)
        self._quantise = PhaseQuantiser(self.bit_depth)
        self._swap: Swap | None = None
        self._pattern: PatternId = 0
        self._closed = False

    @classmethod
    def from_settings(cls, settings: SlmSettings[VideoOptions]) -> Screen:
        """Take over a monitor by its name, or by "serial=...", "model=...; name=...".

        `labdiff monitors` lists the addresses.

        A window that runs there is taken over with the pattern that it shows (`taken_over`: whose).
        Raises DeviceNotFoundError if there is no such monitor or another program owns its window,
        DeviceValueError if it is the primary, or its native size is not the panel's.
        """
        window = window_on(settings.address, settings.shape)
        encoding = settings.options.encoding
        return cls(window, settings.shape, settings.pixel_pitch_um, encoding)

    @property
    def name(self) -> str:
        """The monitor by its identity."""
        return f"SLM on monitor {self._monitor.title}"

    @property
    def timing(self) -> Timing:
        """From the swap: the picture is read out to the panel in one refresh, then the liquid crystal."""
        refresh_hz = self._monitor.refresh_hz if self._monitor.refresh_hz > 1.0 else 60.0
        return Timing(latency_ms=1e3 / refresh_hz, duration_ms=CRYSTAL_MS)

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
        return self._encoding.bits

    @property
    def reported_pattern(self) -> PatternId | None:
        """None: nothing comes back over a video cable. The swap is what the computer knows: `last_swap`."""
        return None

    @property
    def last_swap(self) -> Swap | None:
        """The last pattern that was swapped to the output, and when; None before the first."""
        return self._swap

    def set_lut(self, phase_by_grey_rad: FloatArray | None) -> None:
        """Use a measured phase response, (2**bit_depth,) radians; None: linear over 2 pi."""
        self._quantise = PhaseQuantiser(self.bit_depth, phase_by_grey_rad)

    def set_phase(self, phase_rad: FloatArray) -> PatternId:
        """Show a phase pattern, (height, width); returns when it stands in the frame buffer.

        Raises DeviceDisconnectedError if the monitor or the window are lost, DeviceValueError as in
        the protocol, and if the desktop came to magnify or move the window.
        """
        check_pattern(self.name, phase_rad, self._shape)
        return self._show(self._quantise(phase_rad))

    def set_grey(self, grey: FloatArray) -> PatternId:
        """Show raw grey levels, (height, width)."""
        check_pattern(self.name, grey, self._shape)
        most = 2**self.bit_depth - 1
        if grey.min() < 0 or grey.max() > most:
            raise DeviceValueError(f"{self.name}: grey levels outside 0 ... {most}")
        return self._show(grey.astype(np.uint16))

    def _show(self, grey: Grey) -> PatternId:
        if self._closed:
            raise DeviceStateError(f"{self.name}: is closed")
        coloured = self._encoding.coloured
        self._pixels[...] = self._encoding.colours(grey) if coloured else grey
        answer = self._link.ask("show colours" if coloured else "show")
        self._pattern += 1
        self._swap = Swap(self._pattern, float(answer["copied_s"]), float(answer["time_s"]))
        return self._pattern

    def close(self) -> None:
        """Display a flat pattern and let go; the window stays, so that no desktop appears on the panel."""
        if not self._closed:
            self._closed = True
            try:
                # The call that met a lost monitor has reported it.
                with suppress(DeviceDisconnectedError):
                    self._link.ask("release")
            finally:
                self._link.close()
