"""From light to counts: photo-electrons, noise, fixed patterns, the converter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.types import Roi
from mock_hardware.truth import Truth

Image = npt.NDArray[np.float32]
HOT_ELECTRONS_PER_S = 5e5
"""Dark current of a hot pixel."""
GAIN_QUANTILE, GAIN_TARGET, LARGEST_GAIN = 0.99, 0.5, 4.0
"""Automatic gain brings this quantile of a frame to this share of full scale, within a factor."""


class Sensor:
    """A CMOS or CCD sensor after EMVA 1288: counts = round((Poisson(e gain) + offset + read) / K) + dark.

    Seeded by the frame's number, so that a frame's noise does not depend on the frames before it.

    bit_depth: of the converter. well_electrons: that a pixel holds.
    """

    def __init__(self, truth: Truth, bit_depth: int, well_electrons: float, seed: int) -> None:
        self._truth, self._seed = truth, seed
        self.bit_depth = bit_depth
        self._well = np.float32(well_electrons)

    def expose(
        self,
        electrons: Image,
        roi: Roi,
        exposure_ms: float,
        frame: int,
        automatic_gain: float = 0.0,
    ) -> Image:
        """Return counts (H, W) as float, before the converter's clipping.

        Args:
            electrons: Expected photo-electrons (H, W) of the window.
            roi: The window.
            exposure_ms: Exposure time, for the dark current.
            frame: Number of the frame, which seeds its noise.
            automatic_gain: How much of the frame's brightness the camera takes back, share.
        """
        truth = self._truth
        rng = np.random.Generator(np.random.SFC64([self._seed, 2, frame]))
        window = (slice(roi.top, roi.top + roi.height), slice(roi.left, roi.left + roi.width))
        caught = electrons * (truth.sensor_dust[window] * truth.gain_pattern[window])
        caught += np.float32(truth.dark_electrons_per_s * exposure_ms * 1e-3)
        hot, dead = truth.hot[window], truth.dead[window]
        caught[hot] += np.float32(HOT_ELECTRONS_PER_S * exposure_ms * 1e-3)
        caught[dead] = 0.0
        if truth.shot_noise:
            caught = _poisson(rng, caught)
        # By default twice the full scale of the converter fits in the well: it is the converter that clips.
        np.minimum(caught, self._well, out=caught)
        if truth.read_noise_electrons > 0.0:
            read = rng.standard_normal(caught.shape, dtype=np.float32)
            caught += np.float32(truth.read_noise_electrons) * read
        caught += truth.offset_pattern_electrons[window]
        caught *= np.float32(1.0 / truth.electrons_per_count)
        if automatic_gain > 0.0:
            caught *= np.float32(self._gain(caught, automatic_gain))
        caught += np.float32(truth.pedestal_counts)
        return caught

    def _gain(self, counts: Image, automatic_gain: float) -> float:
        """Return the factor by which automatic gain brings a frame's bright pixels nearer to the middle."""
        fill = float(np.quantile(counts, GAIN_QUANTILE)) / 2**self.bit_depth
        wanted = (GAIN_TARGET / max(fill, 1e-6)) ** automatic_gain
        return float(np.clip(wanted, 1.0 / LARGEST_GAIN, LARGEST_GAIN))

    def convert(self, counts: Image) -> npt.NDArray[np.uint16]:
        """Convert to whole numbers in 0 ... 2**bits - 1."""
        largest = 2**self.bit_depth - 1
        result: npt.NDArray[np.uint16] = np.clip(np.rint(counts), 0, largest).astype(np.uint16)
        return result


def _poisson(rng: np.random.Generator, mean: Image) -> Image:
    """Draw Poisson deviates; above 30 normal ones with a Poisson deviate's skewness."""
    normal = rng.standard_normal(mean.shape, dtype=np.float32)
    # Rounding adds a twelfth to the variance.
    drawn = np.sqrt(np.maximum(mean - np.float32(1.0 / 12.0), 0.0))
    drawn += normal * np.float32(1.0 / 6.0)
    drawn *= normal
    drawn += mean
    drawn -= np.float32(1.0 / 6.0)
    dim = np.flatnonzero(mean < 30.0)
    drawn.flat[dim] = rng.poisson(np.maximum(mean.flat[dim], 0.0))
    # Electrons come whole.
    result: Image = np.maximum(np.rint(drawn, out=drawn), 0.0, out=drawn)
    return result
