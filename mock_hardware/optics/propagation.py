"""Free space by the angular spectrum, in numpy and apart from the twin."""

from __future__ import annotations

from collections.abc import Callable
from threading import local

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
    margin: samples on each side by which the field that comes out is larger than the one that goes in.
    steepest: sine of the steepest light followed; 1: all that the samples carry.
    pupil: factor (n, m) on the spectrum, from direction sines sy (n, 1) and sx (1, m); None: open.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        pitch_m: float,
        wavelength_m: float,
        distance_m: float,
        *,
        margin: int = 0,
        steepest: float = 1.0,
        pupil: Callable[[Array, Array], npt.NDArray[np.complex128]] | None = None,
    ) -> None:
        self.shape = (shape[0] + 2 * margin, shape[1] + 2 * margin)
        self.grid = _padded_grid(self.shape, pitch_m, wavelength_m, distance_m, steepest)
        rows, columns = (fft.fftfreq(n, pitch_m) for n in self.grid)
        along, across = (
            self._window(axis, frequency, pitch_m, wavelength_m, distance_m, steepest)
            for axis, frequency in enumerate((rows, columns))
        )
        # Rows of the spectrum that carry light: the first `up` and the last `down` of the FFT's axis.
        carried = np.flatnonzero(along)
        self._up = int(np.count_nonzero(carried <= self.grid[0] // 2))
        self._down = len(carried) - self._up
        sy, sx = wavelength_m * rows[carried, None], wavelength_m * columns[None, :]
        cosine_squared = 1.0 - sy**2 - sx**2
        k = 2.0 * np.pi / wavelength_m
        phase = k * distance_m * (np.sqrt(np.maximum(cosine_squared, 0.0)) - 1.0)
        # The field that comes out begins a margin before the one that goes in.
        phase -= k * margin * pitch_m * (sy + sx)
        transfer = np.exp(1j * phase) * (cosine_squared > 0.0)
        transfer *= along[carried, None] * across
        if pupil is not None:
            transfer *= pupil(sy, sx)
        self._transfer = transfer.astype(np.complex64)
        self._scratch = local()

    def _window(
        self,
        axis: int,
        frequency: Array,
        pitch_m: float,
        wavelength_m: float,
        distance_m: float,
        steepest: float,
    ) -> Array:
        """Return 1 inside the band, 0 from its edge on, and a soft fall in between."""
        room_m = (self.grid[axis] - self.shape[axis]) * pitch_m
        edge = min(0.5 / pitch_m, steepest / wavelength_m)
        if distance_m:
            edge = min(edge, np.sin(np.arctan(room_m / abs(distance_m))) / wavelength_m)
        inside = np.clip((1.0 - np.abs(frequency) / edge) / EDGE, 0.0, 1.0)
        result: Array = np.sin(0.5 * np.pi * inside) ** 2
        return result

    def __call__(self, field: Field, through: Field | None = None) -> Field:
        """Return the field (H, W), margins included, after the distance; what leaves this area is absorbed.

        Along each axis only what is neither padding nor outside the band is transformed.
        through: factor (h, w) of a plane that the field passes first.
        """
        height, width = self.shape
        rows = self.grid[0]
        up, down = self._up, self._down
        tall, wide, back = self._padded(field.shape[1])
        if through is None:
            tall[: len(field)] = field
        else:
            np.multiply(field, through, out=tall[: len(field)])
        spectrum = fft.fft(tall, axis=0)
        wide[:up, : field.shape[1]] = spectrum[:up]
        wide[up:, : field.shape[1]] = spectrum[rows - down :]
        spectrum = fft.fft(wide, axis=1)
        spectrum *= self._transfer
        moved = fft.ifft(spectrum, axis=1, overwrite_x=True)
        back[:up] = moved[:up, :width]
        back[rows - down :] = moved[up:, :width]
        result: Field = fft.ifft(back, axis=0)[:height]
        return result

    def _padded(self, width: int) -> tuple[Field, Field, Field]:
        """Return this thread's arrays to transform from: their padding stays 0 from call to call."""
        arrays: tuple[Field, Field, Field] | None = getattr(self._scratch, "arrays", None)
        if arrays is None:
            rows, columns = self.grid
            sizes = (rows, width), (self._up + self._down, columns), (rows, self.shape[1])
            tall, wide, back = (np.zeros(size, np.complex64) for size in sizes)
            arrays = self._scratch.arrays = tall, wide, back
        return arrays


def _padded_grid(
    shape: tuple[int, int],
    pitch_m: float,
    wavelength_m: float,
    distance_m: float,
    steepest: float = 1.0,
) -> tuple[int, int]:
    """Return the grid for fields (h, w): padding for the steepest light, at most as wide as the field."""
    sine = min(wavelength_m / (2.0 * pitch_m), steepest, 0.99)
    walk = abs(distance_m) / pitch_m * sine / np.sqrt(1.0 - sine**2)
    # real=True: products of 2, 3 and 5 alone; a factor of 7 or 11 costs more than a longer transform.
    height, width = (fft.next_fast_len(int(np.ceil(n + min(walk, n))), real=True) for n in shape)
    return height, width
