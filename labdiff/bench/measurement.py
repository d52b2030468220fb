"""The result of measuring a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatImages = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a bench measured of a batch.

    intensity: (B, h, w) on the output plane, in units of the twin's intensity.
    saturated_fraction: largest share of saturated pixels in any of the frames.
    noise_floor: (B,) discrepancy that a perfect twin would show, by the frames' own noise; NaN while the
    camera is not calibrated. clipped: (B, h, w), True where saturated pixels of the camera spoil the
    intensity, which is too low there; None if there are none.
    """

    intensity: FloatImages
    saturated_fraction: float
    noise_floor: npt.NDArray[np.float64]
    clipped: npt.NDArray[np.bool_] | None = None
