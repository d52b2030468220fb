"""Spots in a frame: found against what does not move, and their places to a fraction of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

Array = npt.NDArray[np.float64]
FAINTEST_SIGMAS = 6.0
REACH = 3.0
"""Half width of the window around a spot, in its Gaussian widths."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Brightest first. places (S, 2): row and column in the frame; sigma_px (S,): of each coordinate.

    power (S,): counts in all, by the matched filter. width_px: Gaussian width that all share.
    """

    places: Array
    sigma_px: Array
    power: Array
    width_px: float


def moving_parts(frames: Array) -> Array:
    """Return frames (B, H, W), B >= 3, without what most share: zero order, pedestal, hot pixels."""
    parts: Array = frames - np.median(frames, axis=0)
    return parts


def noise_of(parts: Array) -> float:
    """Return the noise, rms counts, of a frame that is dark almost everywhere; never below rounding."""
    middle = np.median(parts)
    return max(1.4826 * float(np.median(np.abs(parts - middle))), 0.3)


def find_spots(part: Array, most: int) -> Spots:
    """Find the `most` brightest spots of a frame (H, W) without background."""
    noise = noise_of(part)
    width = 1.0
    for _ in range(2):
        width = _width(part, _peaks(part, noise, width, most), width)
    peaks = _peaks(part, noise, width, most)
    places = np.empty((len(peaks), 2))
    sigma, power = np.empty(len(peaks)), np.empty(len(peaks))
    for index, peak in enumerate(peaks):
        places[index], sigma[index], power[index] = centre_of(part, peak, width, noise)
    seen = np.flatnonzero(np.isfinite(places).all(axis=1))
    order = seen[np.argsort(-power[seen])]
    return Spots(places[order], sigma[order], power[order], width)


def centre_of(
    part: Array, start: Array, width_px: float, noise: float
) -> tuple[Array, float, float]:
    """Place, its standard deviation and the power of the spot nearest to a start (row, column).

    The centroid under a Gaussian of the spot's own width, iterated: what least squares would find for
    a Gaussian spot in even noise (Stone 1989).

    Args:
        part: of a frame, (h, w).
        start: (row, column).
        width_px: of the spot.
        noise: standard deviation of a pixel.
    """
    place = np.array(start, float)
    radius = int(np.ceil(REACH * width_px)) + 1
    total, weight, window = 0.0, np.zeros((1, 1)), np.zeros((1, 1))
    away = np.zeros((2, 1, 1))
    for _ in range(20):
        middle = np.rint(place).astype(int)
        low = np.maximum(middle - radius, 0)
        high = np.minimum(middle + radius + 1, part.shape)
        window = part[low[0] : high[0], low[1] : high[1]]
        away = np.mgrid[low[0] : high[0], low[1] : high[1]] - place[:, None, None]
        weight = np.exp(-(away**2).sum(axis=0) / (2.0 * width_px**2))
        total = float((weight * window).sum())
        if window.size == 0 or total <= 0.0:
            return np.full(2, np.nan), float("inf"), 0.0
        # Half of a shift is hidden by the weight that lags behind.
        shift = 2.0 * (weight * window * away).sum(axis=(1, 2)) / total
        place = place + np.clip(shift, -1.0, 1.0)
        if np.abs(place - start).max() > radius:
            return np.full(2, np.nan), float("inf"), 0.0
        if np.abs(shift).max() < 1e-4:
            break
    spread = (weight**2 * (away**2).mean(axis=0)).sum()
    sigma = 2.0 * noise * float(np.sqrt(spread)) / total
    return place, sigma, total / float((weight**2).sum()) * float(weight.sum())


def _peaks(part: Array, noise: float, width_px: float, most: int) -> Array:
    """Return the brightest local maxima (S, 2) after a matched filter, brightest first."""
    smooth = scipy.ndimage.gaussian_filter(part, width_px)
    size = 2 * int(np.ceil(2.0 * width_px)) + 1
    top = scipy.ndimage.maximum_filter(smooth, size) == smooth
    # The filter leaves so much of white noise.
    least = FAINTEST_SIGMAS * noise / (2.0 * np.sqrt(np.pi) * max(width_px, 0.6))
    places = np.argwhere(top & (smooth > least))
    bright = np.argsort(-smooth[tuple(places.T)])[:most]
    return places[bright].astype(float)


def _width(part: Array, peaks: Array, guess: float) -> float:
    """Return a spot's Gaussian width, the median over the brightest, by windowed moments."""
    found = []
    for row, column in peaks.astype(int)[: max(8, len(peaks) // 2)]:
        width = guess
        for _ in range(20):
            radius = int(np.ceil(REACH * width)) + 1
            low = np.maximum((row - radius, column - radius), 0)
            window = part[low[0] : row + radius + 1, low[1] : column + radius + 1]
            places = np.mgrid[low[0] : low[0] + window.shape[0], low[1] : low[1] + window.shape[1]]
            squared = ((places - np.array([row, column])[:, None, None]) ** 2).sum(axis=0)
            weight = np.exp(-squared / (2.0 * width**2)) * window
            moment = float((weight * squared).sum() / max(weight.sum(), 1e-9)) / 2.0
            # Under a window of the same width a Gaussian has half its variance.
            width = float(np.clip(np.sqrt(2.0 * max(moment, 0.01)), 0.5, 12.0))
        found.append(width)
    return float(np.median(found)) if found else guess
