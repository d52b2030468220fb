"""The relay that images the output plane on the camera: a fixed linear map of intensities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mock_hardware.truth import Truth

Array = npt.NDArray[np.float64]


class Relay:
    """Each camera pixel of a window samples the output plane (cubic, Keys 1981).

    Camera place = offset + matrix (p + d r^2 (p - c)): p the plane's pixel index (row, column), c its
    centre, r the distance from it in half diagonals, d the distortion.
    window: top, left, height, width on the raw sensor. An output-plane intensity of 1 gives 1.
    samples: samples of the output plane a pixel and axis; margin: pixels that it shows beyond the patch
    on each side.
    """

    def __init__(
        self,
        truth: Truth,
        plane_shape: tuple[int, int],
        window: tuple[int, int, int, int],
        samples: int = 1,
        margin: int = 0,
    ) -> None:
        top, left, height, width = window
        self.shape = (height, width)
        sensor = np.mgrid[top : top + height, left : left + width].reshape(2, -1)
        places = _undistorted(truth, plane_shape, sensor.astype(np.float64))
        # Sample s of pixel p lies at p + (s + 1/2) / S - 1/2.
        rows, columns = (places + 0.5 + margin) * samples - 0.5
        height, width = ((n + 2 * margin) * samples for n in plane_shape)
        self._map = _cubic_weights(rows, columns, (height, width))

    def __call__(self, intensity: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the camera window (height, width) of an output-plane intensity."""
        image = self._map @ intensity.reshape(-1)
        np.maximum(image, 0.0, out=image)
        result: npt.NDArray[np.float32] = image.reshape(self.shape)
        return result


def _undistorted(truth: Truth, plane_shape: tuple[int, int], sensor: Array) -> Array:
    """Return the output-plane pixel index (2, points) that raw sensor positions (2, points) image."""
    centre = ((np.array(plane_shape) - 1) / 2)[:, None]
    half = np.hypot(*plane_shape) / 2.0
    affine = np.linalg.inv(truth.camera_matrix) @ (sensor - truth.camera_offset_px[:, None])
    away = affine - centre
    found = away
    for _ in range(6):  # the distortion is small: a fixed point, found to far below 1e-6 px
        found = away / (1.0 + truth.distortion * np.sum(found**2, axis=0) / half**2)
    return found + centre


def _cubic_weights(rows: Array, columns: Array, shape: tuple[int, int]) -> sparse.csr_array:
    """Return the sparse (points, pixels) matrix of Keys' cubic interpolation; 0 outside the plane."""
    height, width = shape
    base_row, base_column = np.floor(rows).astype(int), np.floor(columns).astype(int)
    points, pixels, weights = [], [], []
    index = np.arange(len(rows))
    for down in range(-1, 3):
        for right in range(-1, 3):
            row, column = base_row + down, base_column + right
            weight = _keys(rows - row) * _keys(columns - column)
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            points.append(index[inside])
            pixels.append((row * width + column)[inside])
            weights.append(weight[inside])
    return sparse.csr_array(
        (
            np.concatenate(weights).astype(np.float32),
            (np.concatenate(points), np.concatenate(pixels)),
        ),
        shape=(len(rows), height * width),
    )


def _keys(distance: Array) -> Array:
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1.0
    far = -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
