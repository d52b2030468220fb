"""ViALUX DMDs through ALP4lib: an amplitude is the share of a superpixel's mirrors that are on.

Fields lie in the board's memory and are played by its own clock; its synch output rises as each begins,
and may trigger a camera.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from drivers.errors import (
    DeviceDisconnectedError,
    DeviceNotFoundError,
    DeviceStateError,
    DeviceValueError,
)
from drivers.maker_library import maker_module
from drivers.phase_quantiser import check_pattern
from drivers.settings import InputSettings
from drivers.types import FloatArray, PatternId, Timing

T = TypeVar("T")
MIRRORS_MS = 0.1
"""Time until the last row is loaded and the mirrors stand still (10 us)."""
PACKED_TOP_DOWN = 2
"""ALP_DATA_BINARY_TOPDOWN, the data format with eight mirrors in a byte."""
MEMORY_FULL = "memory is not available"
"""What ALP4lib says when the board's memory is full (code 1007)."""
MISUSED = ("not in idle state", "parameters is invalid", "currently in use", "has been stopped")
"""What it says when the board is there and does not take a call now (codes 1002, 1005, 1008, 1009)."""


@dataclass(frozen=True)
class DmdAlpOptions:
    """version: of the ALP API. library: folder of its library; on Windows, if not named, by the registry.

    superpixel: mirrors along each side of one modulator pixel. top, left: of the field on the DMD in
    mirrors; -1: in its middle. synch: level of the synch output while a field stands.
    """

    version: Literal["4.1", "4.2", "4.3", "4.4", "5.0", "5.1"] = "4.3"
    library: str = ""
    superpixel: int = 4
    top: int = -1
    left: int = -1
    synch: Literal["high", "low"] = "high"

    def __post_init__(self) -> None:
        if not 1 <= self.superpixel <= 64 or min(self.top, self.left) < -1:
            raise DeviceValueError("superpixel: allowed is 1 ... 64; top, left: -1 or a mirror")


def thresholds(side: int) -> npt.NDArray[np.int64]:
    """Return the place of each mirror (side, side) in the order in which they switch on.

    Each next mirror is the one farthest from those that are on, in a plane of such superpixels: so few
    mirrors scatter evenly, and the light's angles hold no lines.
    """
    order = np.full((side, side), -1)
    rows, columns = np.indices((side, side))
    energy = np.zeros((side, side))
    for place in range(side * side):
        free = np.where(order < 0, energy, np.inf)
        row, column = np.unravel_index(int(free.argmin()), free.shape)
        order[row, column] = place
        down, across = np.abs(rows - row), np.abs(columns - column)
        squared = np.minimum(down, side - down) ** 2 + np.minimum(across, side - across) ** 2
        energy += np.exp(-squared / (0.15 * side * side))
    return order


class DmdAlp:
    """shape: of the field in superpixels. close() leaves every mirror off."""

    Options: ClassVar[type[DmdAlpOptions]] = DmdAlpOptions

    def __init__(self, alp: Any, shape: tuple[int, int], options: DmdAlpOptions) -> None:
        self._alp, self._shape = alp, shape
        side = options.superpixel
        self._closed, self._pattern, self._sequence = False, 0, None
        self._panel = (int(alp.nSizeY), int(alp.nSizeX))
        self._order = thresholds(side)
        size = (shape[0] * side, shape[1] * side)
        given = (options.top, options.left)
        middle = ((self._panel[0] - size[0]) // 2, (self._panel[1] - size[1]) // 2)
        top, left = (m if g < 0 else g for g, m in zip(given, middle, strict=True))
        if min(top, left) < 0 or top + size[0] > self._panel[0] or left + size[1] > self._panel[1]:
            self.close()
            raise DeviceValueError(
                f"DMD: {shape[0]} x {shape[1]} superpixels of {side} mirrors at {top}, {left} do not fit "
                f"on its {self._panel[0]} x {self._panel[1]} mirrors"
            )
        self._window = (slice(top, top + size[0]), slice(left, left + size[1]))
        try:
            serial = self._call("ask its number", lambda: alp.DevInquire(2000))
            self._name = f"ViALUX DMD {serial}, ALP {options.version}"
            level = 2006 if options.synch == "high" else 2007
            self._call("set its synch output", lambda: alp.DevControl(2004, level))
            self._play(np.zeros((1, *shape), np.float32), None)
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_settings(cls, settings: InputSettings[DmdAlpOptions]) -> DmdAlp:
        """Connect to the DMD with a serial number, the address. Raises DeviceNotFoundError."""
        address, given = settings.address, settings.options
        if address and not address.isdecimal():
            raise DeviceValueError(f"input.address = {address!r}: expected a DMD's serial number")
        ALP4 = maker_module("ALP4", "pip install 'labdiff[alp]'", "ViALUX's ALP").ALP4
        try:
            with redirect_stdout(io.StringIO()):  # it prints each step
                alp = ALP4(version=given.version, libDir=given.library or None)
                alp.Initialize(int(address) if address else None)
        except (OSError, ValueError, AttributeError) as error:
            raise DeviceNotFoundError(
                f"ALP {given.version}: its library does not load: {error}; install ViALUX's ALP, or name "
                "its folder in input.options.library"
            ) from error
        except Exception as error:
            raise DeviceNotFoundError(
                f"ViALUX DMD {address or 'any'}: not found, or in use by another program (EasyProj): "
                f"{_message(error)}"
            ) from error
        return cls(alp, settings.shape, given)

    @property
    def name(self) -> str:
        """Maker, model and serial number."""
        return self._name

    @property
    def timing(self) -> Timing:
        """Of the mirrors: `show` and `show_sequence` return when the fields are on the board and play."""
        return Timing(latency_ms=0.0, duration_ms=MIRRORS_MS)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the input field in superpixels."""
        return self._shape

    def show(self, field: FloatArray) -> PatternId:
        """Show an amplitude in 0 ... 1, (height, width)."""
        return self._play(field[None], None)[0]

    @property
    def has_trigger_output(self) -> bool:
        """True: it plays fields by its own clock."""
        return True

    def show_sequence(self, fields: FloatArray, period_ms: float) -> list[PatternId]:
        """Show amplitudes (B, h, w), one each period, by the board's clock; the last one stays."""
        if period_ms < self.timing.total_ms:
            raise DeviceValueError(
                f"{self.name}: a period of {period_ms} ms; at least {self.timing.total_ms} ms are needed"
            )
        return self._play(fields, period_ms)

    def mirrors(self, field: FloatArray) -> npt.NDArray[np.uint8]:
        """Return 0 or 1 for every mirror, (height, width) of the DMD, for one field."""
        side = len(self._order)
        count = np.rint(np.asarray(field, np.float64) * side * side)
        on = count.repeat(side, 0).repeat(side, 1) > np.tile(self._order, self._shape)
        panel = np.zeros(self._panel, np.uint8)
        panel[self._window] = on
        return panel

    def _play(self, fields: FloatArray, period_ms: float | None) -> list[PatternId]:
        if self._closed:
            raise DeviceStateError("DMD: is closed")
        for field in fields:
            check_pattern(self.name, field, self._shape)
            if field.min() < 0.0 or field.max() > 1.0:
                raise DeviceValueError(f"{self.name}: amplitude outside 0 ... 1")
        packed = np.stack([np.packbits(self.mirrors(field), axis=1) for field in fields])
        self._call("load fields", lambda: self._load(packed, period_ms))
        self._pattern += len(fields)
        return list(range(self._pattern - len(fields) + 1, self._pattern + 1))

    def _load(self, packed: npt.NDArray[np.uint8], period_ms: float | None) -> None:
        alp, before = self._alp, self._sequence
        try:
            sequence = alp.SeqAlloc(nbImg=len(packed), bitDepth=1)
        except Exception as error:
            if before is None or MEMORY_FULL not in str(error):
                raise
            # What stands is given up first: there is no room for both.
            alp.Halt()
            alp.FreeSeq(SequenceId=before)
            self._sequence = before = None
            sequence = alp.SeqAlloc(nbImg=len(packed), bitDepth=1)
        alp.SeqControl(2104, 2106, SequenceId=sequence)  # binary, without a dark phase
        alp.SeqControl(2110, PACKED_TOP_DOWN, SequenceId=sequence)
        alp.SeqPut(np.ascontiguousarray(packed).reshape(-1), SequenceId=sequence)
        if period_ms is not None:
            alp.SetTiming(SequenceId=sequence, pictureTime=round(1e3 * period_ms))
        alp.Halt()
        alp.Run(SequenceId=sequence, loop=period_ms is None)
        self._sequence = sequence
        if before is not None:
            alp.FreeSeq(SequenceId=before)

    def _call(self, what: str, act: Callable[[], T]) -> T:
        try:
            with redirect_stdout(io.StringIO()):
                return act()
        except Exception as error:  # ALPError, and KeyError for a code that ALP4lib does not know
            message = f"DMD: could not {what}: {_message(error)}"
            if MEMORY_FULL in str(error):
                raise DeviceValueError(f"{message}; show fewer fields at once") from error
            if any(word in str(error) for word in MISUSED):
                raise DeviceStateError(f"{message}; does another program use it?") from error
            raise DeviceDisconnectedError(f"{message}; check power and USB") from error

    def close(self) -> None:
        """Switch all mirrors off, and let go."""
        if self._closed:
            return
        self._closed = True
        dark = np.zeros((1, self._panel[0], self._panel[1] // 8), np.uint8)
        with redirect_stdout(io.StringIO()), suppress(Exception):  # a lost one is dark already
            self._load(dark, None)
            self._alp.Halt()
            for sequence in list(self._alp.Seqs):
                self._alp.FreeSeq(SequenceId=sequence)
        with redirect_stdout(io.StringIO()), suppress(Exception):
            self._alp.Free()


def _message(error: Exception) -> str:
    return f"ALP's code {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
