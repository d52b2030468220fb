"""A Gaussian through the amplitudes of blocks, and what the patches on the way do to their light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

Array = npt.NDArray[np.float64]
Held = npt.NDArray[np.bool_]
STARTS_PX = (-8.0, -4.0, -2.0, 0.0)
"""Where what blocks the beam may begin, if it is no half plane, from the patch's left."""
STRIP_MISS = 0.04
"""What columns miss without an edge, share: a rim of the fringing field at each of them."""
LEAST_GAIN = 10.0
"""By how many times the mean squared miss an edge must explain the columns better than none."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """peak exp(-((x - x0) / wx)^2 - ((y - y0) / wy)^2): amplitude, so that w is the 1/e^2 radius.

    centre_px, waist_px: (2,) in x and y from the patch's centre, SLM pixels, with standard deviations.
    held_out: rms of what it misses of the blocks that were not fitted, share of the peak.
    """

    peak: float
    centre_px: Array
    centre_sigma_px: Array
    waist_px: Array
    waist_sigma_px: Array
    held_out: float

    def along_x(self, width: int) -> Array:
        """Return the amplitude along x at the patch's pixels, (width,), 1 at the beam's centre."""
        away = (pixel_places(width) - self.centre_px[0]) / self.waist_px[0]
        amplitude: Array = np.exp(-(away**2))
        return amplitude

    def share_inside(self, shape: tuple[int, int]) -> float:
        """Share of the beam's power that falls on the patch."""
        share = 1.0
        for size, centre, waist in zip(shape[::-1], self.centre_px, self.waist_px, strict=True):
            x = np.linspace(-size / 2.0, size / 2.0, 401)
            power = np.trapezoid(np.exp(-2.0 * ((x - centre) / waist) ** 2), x)
            share *= float(power) / (waist * np.sqrt(np.pi / 2.0))
        return min(share, 1.0)


def fit_gaussian(
    amplitude: Array, deviation: Array, shape: tuple[int, int], used: Held, held: Held
) -> Gaussian:
    """Fit a Gaussian to the amplitudes of blocks (side, side) that are `used` and not `held`.

    A beam that is no Gaussian misses more than noise alone: deviations are scaled by what is missed.

    Args:
        amplitude: of the blocks, (side * side,).
        deviation: of each amplitude.
        shape: (height, width) of the patch, pixels.
        used: the blocks that are known.
        held: the blocks that are left out of the fit.
    """
    side = len(amplitude)
    fitted = used & ~held
    # Beams are never as clean as photons are many: equal weights but for blocks that are noisy.
    weight = 1.0 / np.hypot(deviation, 0.01 * np.nanmax(amplitude))
    half = max(shape) / 2.0
    start = np.array([np.nanmax(amplitude), 0.0, 0.0, half, half])

    def missed(values: Array) -> Array:
        error: Array = (_block_means(values, shape, side) - amplitude) * weight
        return error[fitted]

    low = [0.0, -4.0 * half, -4.0 * half, 0.05 * half, 0.05 * half]
    high = [np.inf, 4.0 * half, 4.0 * half, 50.0 * half, 50.0 * half]
    solved = scipy.optimize.least_squares(missed, start, bounds=(low, high), x_scale="jac")
    degrees = max(int(fitted.sum()) - len(start), 1)
    covariance = np.linalg.pinv(solved.jac.T @ solved.jac) * 2.0 * solved.cost / degrees
    sigma = np.sqrt(np.diag(covariance))
    values = solved.x
    check = (_block_means(values, shape, side) - amplitude)[used & held]
    held_out = float(np.sqrt(np.mean(check**2)) / values[0]) if len(check) else float("nan")
    return Gaussian(float(values[0]), values[1:3], sigma[1:3], values[3:5], sigma[3:5], held_out)


def _block_means(values: Array, shape: tuple[int, int], side: int) -> Array:
    peak, x0, y0, wx, wy = values
    along = [
        axis_means(np.exp(-((pixel_places(size) - centre) ** 2) / waist**2), side)
        for size, centre, waist in ((shape[0], y0, wy), (shape[1], x0, wx))
    ]
    result: Array = peak * along[0][:, None] * along[1][None, :]
    return result


def pixel_places(size: int) -> Array:
    """Return places of pixels from the patch's centre, (size,), pixels."""
    places: Array = np.arange(size, dtype=np.float64) - (size - 1) / 2.0
    return places


def axis_means(values: npt.NDArray[np.inexact], side: int) -> npt.NDArray[np.inexact]:
    """Return the means over the blocks along one axis, (side,)."""
    block = np.arange(len(values)) * side // len(values)
    sums = np.array([values[block == b].sum() for b in range(side)])
    return sums / np.bincount(block, minlength=side)


def axis_reach(
    size: int, gaps: int, pitch_um: float, wavelength_nm: float, gap_mm: float
) -> npt.NDArray[np.complex128]:
    """Return how light from each pixel of an axis, (size,), adds up in a point behind so many gaps.

    The plane's lens is taken off, and 1 is a plane with nothing on the way. Patches in between cut the
    cone of light off: not where its rays go, but some of the diffraction at its rim. By
    reciprocity: a point's wave runs backwards through the patches, each as wide as the plane, by
    Fresnel's integral (parabolic waves and rectangles part into x and y).

    Args:
        size: number of pixels of the axis.
        gaps: number of gaps to the point.
        pitch_um: of the pixels.
        wavelength_nm: of the light.
        gap_mm: length of a gap.
    """
    wavelength_um, gap_um = wavelength_nm * 1e-3, gap_mm * 1e3
    width_um = size * pitch_um
    finest_um = wavelength_um * gap_um / (2.0 * width_um)
    samples = max(2, int(np.ceil(1.5 * pitch_um / finest_um)))
    x = (np.arange(size * samples) - (size * samples - 1) / 2.0) * pitch_um / samples
    wave = np.exp(1j * np.pi * x**2 / (wavelength_um * gap_um)) / np.sqrt(gap_um)
    spread = np.exp(1j * np.pi * (x[:, None] - x[None, :]) ** 2 / (wavelength_um * gap_um))
    spread *= (x[1] - x[0]) / np.sqrt(1j * wavelength_um * gap_um)
    for _ in range(gaps - 1):
        wave = spread @ wave
    away_um = gaps * gap_um
    straight = wave * np.exp(-1j * np.pi * x**2 / (wavelength_um * away_um)) * np.sqrt(away_um)
    mean: npt.NDArray[np.complex128] = straight.reshape(size, samples).mean(axis=1)
    return mean


def fit_edge(
    amplitude: Array,
    deviation: Array,
    strip_px: int,
    undisturbed: Array,
    fringe_px: float,
) -> tuple[float, float]:
    """Place of an opaque edge from the patch's left and its deviation, px; NaN if none is seen.

    Fresnel
    diffraction (Born & Wolf, Principles of Optics, 8.7.3) of what lies between a place further left and
    the edge: a half plane if that is far away, less if the mirror's rim alone is in the way.

    Args:
        amplitude: of columns from the left, (strips,).
        deviation: of each amplitude.
        strip_px: width of a column.
        undisturbed: amplitude of pixels without an edge, (w,).
        fringe_px: sqrt(wavelength * distance / 2), with the distance from the edge to the patch.
    """
    strips = len(amplitude)
    without = undisturbed[: strips * strip_px].reshape(strips, strip_px).mean(axis=1)
    ratio, sigma = amplitude / without, deviation / without
    weight = 1.0 / np.hypot(sigma, STRIP_MISS * np.median(ratio)) ** 2
    fine = ((np.arange(strips * strip_px * 4) + 0.5) / 4.0).astype(np.float64)
    edges = np.arange(0.0, 0.5 * strips * strip_px, 0.05).astype(np.float64)
    behind = np.array([_behind_edge(fine, float(e), fringe_px, strips) for e in edges])
    ones = np.ones((1, strips))

    def missed(profiles: Array) -> Array:
        height = (weight * ratio * profiles).sum(axis=-1) / (weight * profiles**2).sum(axis=-1)
        error: Array = (weight * (ratio - height[:, None] * profiles) ** 2).sum(axis=-1)
        return error

    none = float(missed(ones)[0])
    starts = [
        np.zeros(strips),
        *(1.0 - _behind_edge(fine, s, fringe_px, strips) for s in STARTS_PX),
    ]
    # What passes the edge, and what passes on the obstacle's other side.
    each = np.array([missed(np.abs(behind + start)) for start in starts])
    start, best = np.unravel_index(int(each.argmin()), each.shape)
    least = float(each[start, best])
    if none - least < LEAST_GAIN * max(least / max(strips - 3, 1), 1.0):
        return float("nan"), float("nan")
    likely = edges[each.min(axis=0) < least + max(least / max(strips - 3, 1), 1.0)]
    return float(edges[best]), float(np.ptp(likely) / 2.0 + 0.05)


def _behind_edge(
    places: Array, edge: float, fringe_px: float, strips: int
) -> npt.NDArray[np.complex128]:
    """Return the mean field, (strips,), of a plane wave of 1 that passes to the right of an edge."""
    sine, cosine = scipy.special.fresnel((places - edge) / fringe_px)
    wave = ((0.5 + cosine) + 1j * (0.5 + sine)) / (1.0 + 1j)
    mean: npt.NDArray[np.complex128] = wave.reshape(strips, -1).mean(axis=1)
    return mean
