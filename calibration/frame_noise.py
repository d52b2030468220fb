"""How far a frame's own noise lets it differ from the light that made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.resample import Rectifier

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class FrameNoise:
    """Photons and reading, as the camera calibration found them (EMVA 1288).

    gain_electrons: photo-electrons a count. read_noise_counts: rms of one pixel. step_counts: distance of
    two counts; rounding to them adds a twelfth of its square to the variance.
    """

    gain_electrons: float
    read_noise_counts: float
    step_counts: float = 1.0

    def discrepancy(
        self, counts: Floats, rectifier: Rectifier, valid: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the D = 1 - C that a perfect model of each frame would show, (B,).

        Args:
            counts: (B, h, w) rectified, without the dark level.
            rectifier: That made them.
            valid: (B, h, w), pixels that are compared; None: all.

        With noise n of variance v and light s, both
        without their mean over the plane, C = |s| / |s + n|: the expectation of what is measured is
        |s + n|^2 = |s|^2 + sum v. A rectified pixel is a mixture of the camera's, whose noise partly
        averages out (`Rectifier.noise_gain`).
        """
        light = np.maximum(counts, 0.0, dtype=np.float64)
        of_camera = light / self.gain_electrons + self.read_noise_counts**2
        variance = rectifier.noise_gain * (of_camera + self.step_counts**2 / 12.0)
        weight = np.ones(counts.shape) if valid is None else valid.astype(np.float64)
        noise = (variance * weight).sum(axis=(1, 2))
        pixels = np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1.0)
        mean = (counts * weight).sum(axis=(1, 2), keepdims=True) / pixels
        centred = (counts - mean) * weight
        total = np.maximum((centred**2).sum(axis=(1, 2)), noise)
        share: npt.NDArray[np.float64] = noise / np.maximum(total, 1e-30)
        return 1.0 - np.sqrt(1.0 - share)
