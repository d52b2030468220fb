"""The relay that images the output plane on the camera: a fixed linear map of intensities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse


class Relay:
    """Each camera pixel of a window samples the output plane (cubic, Keys 1981), light conserved.

    matrix (2, 2), offset (2,): raw sensor (row, column) of an output-plane pixel index.
    window: top, left, height, width on the raw sensor. An output-plane intensity of 1 gives 1.
    """

    def __init__(
        self,
        matrix: npt.NDArray[np.float64],
        offset: npt.NDArray[np.float64],
        plane_shape: tuple[int, int],
        window: tuple[int, int, int, int],
    ) -> None:
        top, left, height, width = window
        self.shape = (height, width)
        rows, columns = np.mgrid[top : top + height, left : left + width].reshape(2, -1)
        sensor = np.stack([rows, columns]) - offset[:, None]
        plane_rows, plane_columns = np.linalg.inv(matrix) @ sensor
        self._map = _cubic_weights(plane_rows, plane_columns, plane_shape)

    def __call__(self, intensity: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Camera window (height, width) of an output-plane intensity (h, w)."""
        image = self._map @ intensity.reshape(-1)
        np.maximum(image, 0.0, out=image)
        result: npt.NDArray[np.float32] = image.reshape(self.shape)
        return result


def _cubic_weights(
    rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], shape: tuple[int, int]
) -> sparse.csr_array:
    """Sparse (points, pixels) matrix of Keys' cubic interpolation; nothing outside the plane."""
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


def _keys(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1.0
    far = -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
