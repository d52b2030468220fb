"""The light path of the folded cavity, in numpy and apart from the twin.

Field in, intensity out; no device, no clock, no noise. Conventions: coordinates from the patch
centre, forward propagation exp(+j k z) without the carrier, tilt exp(-j k (x sin ax + y sin ay)).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from mock_hardware.config import MockGeometry
from mock_hardware.truth import Truth

Field = npt.NDArray[np.complex64]
Real = npt.NDArray[np.floating]


class AngularSpectrum:
    """Free-space propagation of patches (h, w) over one distance, on a padded grid.

    Transfer function exp(j dz (sqrt(k^2 - kx^2 - ky^2) - k)): what Feit and Fleck's form equals,
    computed here straight in float64. The outermost tenth of the band fades out, so that light
    beyond what the padding can hold does not wrap around.
    """

    def __init__(
        self, shape: tuple[int, int], pitch_m: float, wavelength_m: float, distance_m: float
    ) -> None:
        self.shape = shape
        sine = min(wavelength_m / (2 * pitch_m), 0.99)
        walk_px = distance_m / pitch_m * sine / np.sqrt(1 - sine**2)
        self.grid = tuple(fft.next_fast_len(int(np.ceil(n + walk_px))) for n in shape)
        frequencies = [fft.fftfreq(n, pitch_m) for n in self.grid]
        rows, columns = np.meshgrid(*frequencies, indexing="ij")
        cosine_squared = 1.0 - (wavelength_m * rows) ** 2 - (wavelength_m * columns) ** 2
        k = 2 * np.pi / wavelength_m
        phase = k * distance_m * (np.sqrt(np.maximum(cosine_squared, 0.0)) - 1.0)
        fade = np.ones(self.grid)
        for axis, frequency in enumerate(frequencies):
            distance_to_edge = np.clip((1 - 2 * pitch_m * np.abs(frequency)) / 0.1, 0.0, 1.0)
            window = np.sin(0.5 * np.pi * distance_to_edge) ** 2
            fade *= window[:, None] if axis == 0 else window[None, :]
        fade[cosine_squared <= 0] = 0.0
        self.transfer = (fade * np.exp(1j * phase)).astype(np.complex64)

    def __call__(self, field: Field) -> Field:
        """The field (h, w) after the distance; what leaves the patch is absorbed."""
        height, width = self.shape
        spectrum = fft.fft2(field, self.grid)
        spectrum *= self.transfer
        moved: Field = fft.ifft2(spectrum, overwrite_x=True)[:height, :width]
        return moved


class CavityOptics:
    """The mock's true light path: intensity on the output plane for given phases on the planes.

    1.0 is the mean of |source|^2 over a patch at data-sheet values.
    """

    def __init__(self, geometry: MockGeometry, truth: Truth) -> None:
        height, width = geometry.patch_shape
        pitch_m = geometry.pixel_pitch_um * 1e-6
        wavelength_m = geometry.wavelength_nm * 1e-9
        self._gap = AngularSpectrum(
            geometry.patch_shape, pitch_m, wavelength_m, 2e-3 * truth.z_gap_mm
        )
        y = ((np.arange(height) - (height - 1) / 2) * pitch_m)[:, None]
        x = ((np.arange(width) - (width - 1) / 2) * pitch_m)[None, :]
        k = 2 * np.pi / wavelength_m
        self._tilts = np.array(
            [np.exp(-1j * k * (x * np.sin(ax) + y * np.sin(ay))) for ax, ay in truth.tilts_rad]
        ).astype(np.complex64)
        waist_m = geometry.waist_mm * 1e-3
        nominal = np.exp(-(x**2 + y**2) / waist_m**2)
        x0, y0 = truth.beam_centre_um * 1e-6
        beam = np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (truth.waist_mm * 1e-3) ** 2)
        beam /= np.sqrt(np.mean(nominal**2))
        self._source = (beam * self._tilts[0]).astype(np.complex64)

    def intensity(self, first: Field, layers: Field) -> npt.NDArray[np.float32]:
        """|U|^2 on the output plane (h, w).

        first: complex transmission of the input plane (h, w); layers: exp(j phi), (N, h, w).
        """
        field = self._source * first
        for layer, tilt in zip(layers, self._tilts[1:], strict=True):
            field = self._gap(field)
            field *= layer
            field *= tilt
        field = self._gap(field)
        result: npt.NDArray[np.float32] = field.real**2 + field.imag**2
        return result
