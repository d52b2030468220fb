"""Base classes of cameras without a trigger input, and of those whose window is cut out here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

import numpy as np

from drivers.errors import DeviceStateError, DeviceValueError
from drivers.protocols import ReadOut, TriggeredReadOut
from drivers.types import CountArray, Frame, Roi


class UntriggeredCamera(ABC):
    """A camera that exposes when it is asked to, and only then. It has `name` and `expose`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Maker, model and serial number, or what takes their place."""

    @abstractmethod
    def expose(self) -> ReadOut:
        """Expose once, from now on."""

    def get_frame(self) -> Frame:
        """Expose once, from now on, and wait for the frame."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """Return the frames of `count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """False: this driver uses none."""
        return False

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """Raise DeviceStateError: there is no trigger input."""
        raise DeviceStateError(f"{self.name}: has no trigger input that this driver uses")


class WholeFrameCamera(UntriggeredCamera):
    """A source of whole frames: the window is cut out of them, and an exposure is only noted."""

    _exposure_ms: float
    _roi: Roi
    _sequence = 0

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(height, width) of a whole frame."""

    @property
    @abstractmethod
    def bit_depth(self) -> int:
        """Bits of one count."""

    @property
    @abstractmethod
    def exposure_range_ms(self) -> tuple[float, float]:
        """(shortest, longest) exposure."""

    @property
    def exposure_ms(self) -> float:
        """The exposure that was set; what the source makes of it is not known."""
        return self._exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        low, high = self.exposure_range_ms
        if not low <= value <= high:
            raise DeviceValueError(
                f"{self.name}: exposure {value} ms; allowed is {low:g} ... {high:g} ms"
            )
        self._exposure_ms = value

    @property
    def roi(self) -> Roi:
        """The window on the sensor that is handed out."""
        return self._roi

    @roi.setter
    def roi(self, value: Roi) -> None:
        if not value.fits(self.shape):
            raise DeviceValueError(f"{self.name}: {value} does not fit the frame {self.shape}")
        self._roi = value

    def _window_of(self, pixels: CountArray, start_s: float) -> Frame:
        """Return the next frame, cut from a whole one (height, width) that was exposed from start_s on."""
        roi = self._roi
        self._sequence += 1
        cut = pixels[roi.top : roi.top + roi.height, roi.left : roi.left + roi.width]
        full = float(np.mean(cut >= 2**self.bit_depth - 1))
        return Frame(cut, self._exposure_ms, start_s, self._sequence, None, full, roi)
