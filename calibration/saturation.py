"""Where a sensor saturates: the counts that do not rise with more light, wherever they stand.

Counts often have fewer bits than their word: 12 in 16. Then nothing ever comes near the declared full
scale, and only frames at two exposures tell light from saturation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.types import CountArray

BRIGHTEST = 0.999
"""Quantile of a frame from which its pixels are the brightest."""
LEAST_PIXELS = 8
"""Number of pixels that are taken as the brightest ones of a small frame."""
PILED = 0.01
"""Share of a frame's pixels from which those near its brightest may have piled up there."""
SHORT = 0.5
"""Share of the expected rise of counts below which they have fallen short of it."""
LEAST_COUNTS = 8.0
"""Counts above the dark level below which noise and an inexact dark level may look like saturation."""
FLAT = 1.1
"""Ratio of counts at two exposures up to which they have not risen."""
LEAST_RATIO = 1.3
"""Ratio of two exposures from which counts have to rise."""
LINEAR = 0.15
"""Relative deviation from a straight line up to which two frames prove that neither is saturated."""
NEAR = 0.95
"""Share of full scale from which counts are at full scale."""
LOWEST = 0.01
"""Share of saturated pixels that may lie below the level, where the converter's noise spreads them."""


def level_of(
    less: npt.NDArray[np.integer | np.floating],
    more: npt.NDArray[np.integer | np.floating],
    pedestal_counts: float,
) -> int:
    """Return the count at which pixels stop rising between two frames; 0 if they rise, or show no light.

    Args:
        less: (height, width), counts of the frame of less light.
        more: (height, width), counts of the frame of at least LEAST_RATIO times as much.
        pedestal_counts: dark level.
    """
    before, after = (frame.ravel().astype(np.float64) for frame in (less, more))
    # Of pixels that are equally bright with more light, those that are brightest with less.
    bright = np.flatnonzero(after >= _near_top(after, pedestal_counts))
    count = min(max(round((1.0 - BRIGHTEST) * after.size), LEAST_PIXELS), bright.size)
    brightest = bright[np.argsort(before[bright])[-count:]]
    low = before[brightest].mean() - pedestal_counts
    high = after[brightest].mean() - pedestal_counts
    if low < LEAST_COUNTS or high > FLAT * low:
        return 0
    near = pedestal_counts + NEAR * high
    stuck = (before >= near) & (after >= near)
    return int(np.quantile(after[stuck], LOWEST, method="lower")) if stuck.any() else 0


def _near_top(pixels: npt.NDArray[np.integer | np.floating], pedestal_counts: float) -> float:
    """Return the count from which pixels are about as bright as the brightest ones."""
    top = float(np.quantile(pixels, BRIGHTEST))
    return pedestal_counts + NEAR * (top - pedestal_counts)


class SaturationWatch:
    """Compares the frames of one pattern at different doses of light.

    declared_counts: full scale by bit depth or bench file. level_counts: where counts were seen to stop
    below it, now or before; 0 if they were not.
    """

    def __init__(self, pedestal_counts: float, declared_counts: int, level_counts: int = 0) -> None:
        self._pedestal_counts, self.declared_counts = pedestal_counts, declared_counts
        self.level_counts = level_counts
        self._frames: list[tuple[float, CountArray, float]] = []

    @property
    def full_counts(self) -> int:
        """Full scale as far as it is known."""
        return self.level_counts or self.declared_counts

    def fill(self, counts: float) -> float:
        """Return counts as a share of full scale above the dark level."""
        return (counts - self._pedestal_counts) / (self.full_counts - self._pedestal_counts)

    def add(self, dose: float, pixels: CountArray) -> bool:
        """Add a frame (height, width); return whether it has stopped rising below full scale.

        That is not believed yet: a camera may apply a new exposure only from its second frame.
        """
        self._frames.append((dose, pixels, float(np.quantile(pixels, BRIGHTEST))))
        return self._level() > 0

    def replace(self, pixels: CountArray) -> None:
        """Replace the newest frame by another one of the same dose, and believe what it shows."""
        dose, _, _ = self._frames.pop()
        self.add(dose, pixels)
        self.level_counts = self._level() or self.level_counts

    @property
    def newest_fill(self) -> float:
        """Share of full scale that the brightest pixels of the newest frame fill."""
        return self.fill(self._frames[-1][2])

    def brightest_dose(self, fill: float) -> float:
        """Return the largest dose at which frames filled less than this; 0 without one."""
        return max((dose for dose, _, top in self._frames if self.fill(top) < fill), default=0.0)

    def dimmest_dose(self, fill: float) -> float:
        """Return the least dose at which frames filled more than this; infinite without one."""
        return min((dose for dose, _, top in self._frames if self.fill(top) > fill), default=np.inf)

    @property
    def proven(self) -> bool:
        """Whether another frame proves that the newest one is not saturated."""
        dose, _, top = self._frames[-1]
        counts = top - self._pedestal_counts
        for other_dose, _, other_top in self._frames[:-1]:
            other = other_top - self._pedestal_counts
            if other_dose > dose and other > FLAT * counts:
                return True
            ratio = dose / other_dose
            if ratio >= LEAST_RATIO and abs(counts / max(other, 1e-9) / ratio - 1.0) < LINEAR:
                return True
        return False

    @property
    def suspicious(self) -> bool:
        """Whether the newest frame may be saturated: it rose too little, or many pixels are alike."""
        dose, pixels, top = self._frames[-1]
        counts = top - self._pedestal_counts
        if counts < LEAST_COUNTS or self.proven:
            return False
        for other_dose, _, other_top in self._frames[:-1]:
            other = other_top - self._pedestal_counts
            if (
                other_dose < dose
                and other > LEAST_COUNTS
                and counts < SHORT * other * dose / other_dose
            ):
                return True
        return bool((pixels >= _near_top(pixels, self._pedestal_counts)).mean() > PILED)

    def _level(self) -> int:
        """Return where the newest frame has stopped rising, against any other one; 0 if it has not."""
        dose, pixels, _ = self._frames[-1]
        for other_dose, other, _ in self._frames[:-1]:
            if max(dose, other_dose) < LEAST_RATIO * min(dose, other_dose):
                continue
            less, more = (other, pixels) if other_dose < dose else (pixels, other)
            found = level_of(less, more, self._pedestal_counts)
            if 0 < found < NEAR * self.full_counts:
                return found
        return 0


def key_to_set(level_counts: float, declared_counts: float) -> str:
    """Return what to write into the bench file for a level at which counts stop.

    Args:
        level_counts: that level.
        declared_counts: full scale as it is declared.
    """
    level = round(level_counts)
    bits = (level + 1).bit_length() - 1
    words = f"Set camera.saturation_level = {level} in the bench file"
    if level + 1 == 2**bits and bits >= 8 and level < declared_counts:
        words += f", or camera.bit_depth = {bits} if the driver takes it"
    return f"{words}."
