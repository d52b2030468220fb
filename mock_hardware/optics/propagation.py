"""Free space by the angular spectrum, in numpy and apart from the twin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

Field = npt.NDArray[np.complex64]
Array = npt.NDArray[np.float64]

EDGE = 0.1
"""Share of the band, at its edge, over which the transfer function fades out."""


class AngularSpectrum:
    """Free-space propagation of fields (h, w) over one distance, on a padded grid.

    Transfer function exp(j dz (sqrt(k^2 - kx^2 - ky^2) - k)): what Feit and Fleck's form equals,
    computed here straight in float64. The band ends where light would leave the padding and wrap
    around into the field (Matsushima 2009); light steeper than that misses a field of this size
    anyway once the padding is as wide as the field, which it never exceeds.
    pupil: a factor on the spectrum, a function of the direction sines (sy, sx); None: open.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        pitch_m: float,
        wavelength_m: float,
        distance_m: float,
        pupil: npt.NDArray[np.complex128] | None = None,
    ) -> None:
        self.shape = shape
        self.grid = padded_grid(shape, pitch_m, wavelength_m, distance_m)
        frequencies = [fft.fftfreq(n, pitch_m) for n in self.grid]
        rows, columns = np.meshgrid(*frequencies, indexing="ij", sparse=True)
        cosine_squared = 1.0 - (wavelength_m * rows) ** 2 - (wavelength_m * columns) ** 2
        k = 2.0 * np.pi / wavelength_m
        phase = k * distance_m * (np.sqrt(np.maximum(cosine_squared, 0.0)) - 1.0)
        transfer = np.exp(1j * phase) * (cosine_squared > 0.0)
        for axis, frequency in enumerate(frequencies):
            room_m = (self.grid[axis] - shape[axis]) * pitch_m
            window = _band(frequency, pitch_m, wavelength_m, distance_m, room_m)
            transfer *= window[:, None] if axis == 0 else window[None, :]
        if pupil is not None:
            transfer *= pupil
        self.transfer = transfer.astype(np.complex64)

    def __call__(self, field: Field) -> Field:
        """The field (..., h, w) after the distance; what leaves the field's area is absorbed."""
        height, width = self.shape
        rows, columns = self.grid
        # Only live rows are transformed along their length, going and coming back.
        spectrum = fft.fft(field, columns, axis=-1)
        spectrum = fft.fft(spectrum, rows, axis=-2, overwrite_x=True)
        spectrum *= self.transfer
        moved = fft.ifft(spectrum, axis=-2, overwrite_x=True)[..., :height, :]
        result: Field = fft.ifft(moved, axis=-1)[..., :width]
        return result


def padded_grid(
    shape: tuple[int, int], pitch_m: float, wavelength_m: float, distance_m: float
) -> tuple[int, int]:
    """Grid for fields (h, w): room for the steepest light sampled, at most as much as the field."""
    steepest = min(wavelength_m / (2.0 * pitch_m), 0.99)
    walk = abs(distance_m) / pitch_m * steepest / np.sqrt(1.0 - steepest**2)
    height, width = (fft.next_fast_len(int(np.ceil(n + min(walk, n)))) for n in shape)
    return height, width


def direction_sines(
    grid: tuple[int, int], pitch_m: float, wavelength_m: float
) -> tuple[Array, Array]:
    """(H, 1) and (1, W): sines of the angles that the spectrum's samples stand for."""
    rows, columns = (wavelength_m * fft.fftfreq(n, pitch_m) for n in grid)
    return rows[:, None], columns[None, :]


def _band(
    frequency: Array, pitch_m: float, wavelength_m: float, distance_m: float, room_m: float
) -> Array:
    edge = 0.5 / pitch_m
    if distance_m:
        angle = np.arctan(room_m / abs(distance_m))
        edge = min(edge, np.sin(angle) / wavelength_m)
    to_edge = np.clip((1.0 - np.abs(frequency) / edge) / EDGE, 0.0, 1.0)
    result: Array = np.sin(0.5 * np.pi * to_edge) ** 2
    return result
