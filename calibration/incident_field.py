"""The field that arrives on the last patch when all patches before it are flat, by the data sheet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from calibration.layout import PatchLayout

Field = npt.NDArray[np.complex128]


def arriving_field(layout: PatchLayout) -> Field:
    """Return the beam (h, w) as each patch in turn cuts it, 1 in the middle of the first patch.

    Not plane even on a perfect bench: each patch's rim diffracts, and what reaches the last one
    converges. Angular spectrum, exp(j z (sqrt(k^2 - kx^2 - ky^2) - k)), with room for what spreads.
    """
    height, width = layout.patch_shape
    pitch_mm, wavelength_mm = layout.pixel_pitch_um * 1e-3, layout.wavelength_nm * 1e-6
    rows, columns = ((np.arange(n) - (n - 1) / 2) * pitch_mm for n in (height, width))
    field = np.exp(-(rows[:, None] ** 2 + columns**2) / layout.waist_mm**2).astype(np.complex128)
    padded = tuple(scipy.fft.next_fast_len(2 * n) for n in (height, width))
    sines = [scipy.fft.fftfreq(n, pitch_mm) * wavelength_mm for n in padded]
    squared = np.minimum(sines[0][:, None] ** 2 + sines[1] ** 2, 1.0)
    # sqrt(1 - s) - 1 without losing digits
    path = -squared / (1.0 + np.sqrt(1.0 - squared)) / wavelength_mm
    transfer = np.exp(2j * np.pi * layout.gap_mm * path)
    for _ in layout.lefts[1:]:
        spectrum = scipy.fft.fft2(field, padded)
        field = scipy.fft.ifft2(spectrum * transfer)[:height, :width]
    result: Field = field
    return result
