"""From camera frames to the output plane."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy

from calibration.registration import Registration
from drivers.types import Roi

Images = npt.NDArray[np.float32]


class Rectifier:
    """Intensity on the output plane's pixels from frames of a window of the camera.

    Cubic B-spline interpolation (scipy.ndimage) at each plane pixel's place on the sensor, prepared
    once: a separable prefilter and a sparse matrix. Plane pixels beyond the window read 0.
    """

    def __init__(self, registration: Registration, roi: Roi, plane_shape: tuple[int, int]) -> None:
        self.roi, self.plane_shape = roi, plane_shape
        rows, columns = np.mgrid[: plane_shape[0], : plane_shape[1]].reshape(2, -1)
        places = registration.plane_to_camera(np.column_stack([rows, columns]).astype(float))
        places -= (roi.top, roi.left)
        self._weights = _spline_weights(places[:, 0], places[:, 1], roi.shape)
        self._places = places

    def __call__(self, frames: npt.NDArray[np.floating]) -> Images:
        """Resample frames (B, H, W) of the window to (B, h, w); linear, so intensity keeps its scale."""
        coefficients = np.empty((frames[0].size, len(frames)), np.float32)
        for index, frame in enumerate(frames):
            coefficients[:, index] = scipy.ndimage.spline_filter(
                frame, order=3, output=np.float32, mode="mirror"
            ).ravel()
        plane = (self._weights @ coefficients).T
        return np.ascontiguousarray(plane, np.float32).reshape(len(frames), *self.plane_shape)

    def touched(self, masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return (B, h, w): True where a pixel of a mask (B, H, W) or a neighbour of one counts.

        A cubic B-spline reaches two pixels far; beyond the first its weights are a few percent.
        """
        wide = scipy.ndimage.binary_dilation(masks, np.ones((1, 3, 3), bool))
        rows, columns = np.rint(self._places).astype(int).T
        height, width = self.roi.shape
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        found = wide[:, np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)] & inside
        result: npt.NDArray[np.bool_] = found.reshape(len(masks), *self.plane_shape)
        return result

    @cached_property
    def noise_gain(self) -> Images:
        """(h, w): variance of a plane pixel where every pixel of the camera has 1, independently.

        The sum of the squares of the cardinal spline's weights: 1 on a camera pixel, less between them.
        """
        gain = _spread(self._places[:, 0]) * _spread(self._places[:, 1])
        return gain.reshape(self.plane_shape).astype(np.float32)


POLE = np.sqrt(3.0) - 2.0
"""Of the filter that turns samples into cubic B-spline coefficients (Unser 1999)."""
REACH = 12


def _spread(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the sum over all samples of the squared weight of each at these places, one axis."""
    steps = np.arange(-REACH, REACH + 1)
    coefficients = -6.0 * POLE / (1.0 - POLE**2) * POLE ** np.abs(steps)
    fraction = places - np.floor(places)
    # The cardinal spline at fraction - n is the mixture of B-splines that the coefficients say.
    splines = _b_spline(fraction[:, None] - np.arange(-2 * REACH, 2 * REACH + 1))
    weights = scipy.ndimage.convolve1d(splines, coefficients, axis=1, mode="constant")
    result: npt.NDArray[np.float64] = (weights**2).sum(axis=1)
    return result


def _spline_weights(
    rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], shape: tuple[int, int]
) -> scipy.sparse.csr_array:
    base_row, base_column = np.floor(rows).astype(int), np.floor(columns).astype(int)
    points, pixels, weights = [], [], []
    index = np.arange(len(rows))
    for down in range(-1, 3):
        for right in range(-1, 3):
            row, column = base_row + down, base_column + right
            weight = _b_spline(rows - row) * _b_spline(columns - column)
            inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
            points.append(index[inside])
            pixels.append((row * shape[1] + column)[inside])
            weights.append(weight[inside])
    data = np.concatenate(weights).astype(np.float32)
    where = (np.concatenate(points), np.concatenate(pixels))
    return scipy.sparse.csr_array((data, where), shape=(len(rows), shape[0] * shape[1]))


def _b_spline(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.abs(distance)
    return np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0.0))
