"""From camera frames to the output plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

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

    def __call__(self, frames: npt.NDArray[np.floating]) -> Images:
        """(B, H, W) of the window -> (B, h, w); linear, so light keeps its scale."""
        coefficients = np.empty((frames[0].size, len(frames)), np.float32)
        for index, frame in enumerate(frames):
            coefficients[:, index] = ndimage.spline_filter(
                frame, order=3, output=np.float32, mode="mirror"
            ).ravel()
        plane = (self._weights @ coefficients).T
        return np.ascontiguousarray(plane, np.float32).reshape(len(frames), *self.plane_shape)


def _spline_weights(
    rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], shape: tuple[int, int]
) -> sparse.csr_array:
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
    return sparse.csr_array((data, where), shape=(len(rows), shape[0] * shape[1]))


def _b_spline(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.abs(distance)
    return np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0.0))
