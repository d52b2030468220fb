"""One colour's pixels of a colour camera: every second pixel of every second row, as a camera of its own.

A colour camera has a filter before each pixel, in squares of two by two (Bayer, US patent 3971065). They
transmit different shares of a laser's light; pixels of one filter are alike, as a monochrome camera's are.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np

from drivers.camera.wrapper import CameraWrapper
from drivers.protocols import Camera
from drivers.types import Frame, Roi

BayerPlane: TypeAlias = Literal["red", "green1", "green2", "blue"]
"""Pixels of one filter. green1: the green ones in the rows of the red ones; green2: in the blue ones'."""
BayerPattern: TypeAlias = Literal["RG", "GR", "GB", "BG"]
"""Filters of the sensor's first two pixels, as GenICam names them in BayerRG8."""
PLANES: tuple[BayerPlane, ...] = get_args(BayerPlane)
PATTERNS: tuple[BayerPattern, ...] = get_args(BayerPattern)
RED: dict[BayerPattern, tuple[int, int]] = {"RG": (0, 0), "GR": (0, 1), "GB": (1, 0), "BG": (1, 1)}
"""(row, column) of the red filter in the square, by pattern."""


@runtime_checkable
class ColourCamera(Protocol):
    """A camera that knows the order of its filters."""

    @property
    def bayer_pattern(self) -> BayerPattern | None:
        """Filters of the first two pixels; None for a monochrome camera."""
        ...


def place_of(plane: BayerPlane, pattern: BayerPattern) -> tuple[int, int]:
    """Return (row, column) of a plane's pixel in the square of two by two."""
    row, column = RED[pattern]
    match plane:
        case "red":
            return row, column
        case "green1":
            return row, 1 - column
        case "green2":
            return 1 - row, column
        case "blue":
            return 1 - row, 1 - column


def plane_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of one plane of a sensor (height, width)."""
    return shape[0] // 2, shape[1] // 2


class BayerPlaneCamera(CameraWrapper):
    """A colour camera of which only the pixels of one filter are handed out; windows are in these."""

    def __init__(self, camera: Camera, plane: BayerPlane, pattern: BayerPattern) -> None:
        super().__init__(camera)
        self._plane, self._place = plane, place_of(plane, pattern)
        self.roi = Roi(0, 0, *self.shape)

    @property
    def name(self) -> str:
        """Maker, model and serial number of the device, and the plane."""
        return f"{super().name}, {self._plane} pixels"

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the plane."""
        return plane_shape(super().shape)

    @property
    def roi(self) -> Roi:
        """The window on the plane that is handed out."""
        roi = self._call(lambda camera: camera.roi)
        return Roi(roi.top // 2, roi.left // 2, roi.height // 2, roi.width // 2)

    @roi.setter
    def roi(self, value: Roi) -> None:
        squares = Roi(2 * value.top, 2 * value.left, 2 * value.height, 2 * value.width)
        self._call(lambda camera: _set_window(camera, squares))

    def converted(self, frame: Frame) -> Frame:
        """Return the plane's pixels of a frame, and how many of them are saturated."""
        row, column = self._place
        pixels = np.ascontiguousarray(frame.pixels[row::2, column::2])
        roi = frame.roi
        return Frame(
            pixels,
            frame.exposure_ms,
            frame.timestamp_s,
            frame.sequence,
            frame.pattern_id,
            float((pixels >= 2**self.bit_depth - 1).mean()),
            Roi(roi.top // 2, roi.left // 2, roi.height // 2, roi.width // 2),
        )


def _set_window(camera: Camera, window: Roi) -> None:
    camera.roi = window
