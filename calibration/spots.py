"""Many spots from one phase pattern, in whatever plane the SLM's light reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from calibration.incident_field import arriving_field
from calibration.layout import PatchLayout

Array = npt.NDArray[np.float64]
ITERATIONS = 30
MOST_SAMPLES = 16384
"""So many pixels are enough to find weights and phases of a few dozen spots."""
APERTURE = 0.3
"""1/e radius of the amplitude with which a spot's pixels are chosen, share of the patch's side."""
MARGIN = 0.15
"""So near to the rim of a patch no spot is placed, share of its side."""


class SpotPlane(Protocol):
    """A plane in which the SLM makes spots, each by a phase pattern that is known."""

    @property
    def bounds(self) -> Array:
        """(2, 2): least and greatest (row, column) at which spots are placed."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the pixels that make the spots."""
        ...

    def kernel(self, point: Array) -> Array:
        """Return the phase (height, width), radians, that sends all light to a point (row, column)."""
        ...

    def aperture(self, pupil: Array | None) -> Array | None:
        """Return the amplitude (height, width) around a place (row, column); None: all pixels alike."""
        ...

    def panel(self, phase: Array) -> Array:
        """Return the whole SLM's pattern with these pixels' phase (height, width)."""
        ...

    @property
    def arriving(self) -> npt.NDArray[np.complex128]:
        """Field (height, width) that the pixels get, by the data sheet."""
        ...

    def side(self, axis: int, places: Array, stretch: float = 1.0) -> npt.NDArray[np.complex128]:
        """Return what each pixel of an axis, 0 rows or 1 columns, adds at places (S,): (S, size).

        The field at a point is the sum over all pixels of both axes' shares times the pixel's field.

        Args:
            axis: 0 rows, 1 columns.
            places: in the plane, (S,).
            stretch: distance to the plane, relative to the data sheet.
        """
        ...


@dataclass(frozen=True, slots=True)
class LensSpots:
    """Spots of lenses on the last patch of a folded bench, on the output plane; points in its pixels.

    A lens is cut to an aperture around a pupil point near its spot: light that arrives head-on stays
    where it is if the gap is not what the data sheet says, and light from aside tells how far it is off.
    """

    layout: PatchLayout
    arriving: npt.NDArray[np.complex128] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Set once, past the freezing.
        object.__setattr__(self, "arriving", arriving_field(self.layout))

    @property
    def bounds(self) -> Array:
        """All of the patch but a margin."""
        size = np.array(self.layout.patch_shape) - 1.0
        return np.array([MARGIN * size, (1.0 - MARGIN) * size])

    @property
    def shape(self) -> tuple[int, int]:
        """That of a patch."""
        return self.layout.patch_shape

    def kernel(self, point: Array) -> Array:
        """Return a parabolic lens, without a rim: -pi r^2 / (lambda f)."""
        layout = self.layout
        rows, columns = np.ogrid[: layout.patch_shape[0], : layout.patch_shape[1]]
        squared_um2 = (
            (rows - point[0]) ** 2 + (columns - point[1]) ** 2
        ) * layout.pixel_pitch_um**2
        return np.asarray(-np.pi * squared_um2 / (layout.wavelength_nm * layout.gap_mm))

    def aperture(self, pupil: Array | None) -> Array | None:
        """Return a Gaussian around the pupil point; None without one."""
        if pupil is None:
            return None
        rows, columns = np.ogrid[: self.shape[0], : self.shape[1]]
        width = APERTURE * min(self.shape)
        return np.asarray(np.exp(-((rows - pupil[0]) ** 2 + (columns - pupil[1]) ** 2) / width**2))

    def panel(self, phase: Array) -> Array:
        """Return the panel with this phase on the last patch; the other patches are flat."""
        patches = self.layout.flat()
        patches[-1] = phase
        return np.asarray(self.layout.panel(patches), np.float64)

    def side(self, axis: int, places: Array, stretch: float = 1.0) -> npt.NDArray[np.complex128]:
        """Return Fresnel's integral, exp(j pi r^2 / (lambda z)); a pixel is a square that sends a sinc.

        Args:
            axis: 0 rows, 1 columns.
            places: in the plane, (S,).
            stretch: distance to the plane, relative to the data sheet.
        """
        layout = self.layout
        per_px2 = layout.pixel_pitch_um**2 / (layout.wavelength_nm * layout.gap_mm * stretch)
        away = places[:, None] - np.arange(self.shape[axis])[None, :]
        return np.asarray(np.exp(1j * np.pi * per_px2 * away**2) * np.sinc(per_px2 * away))


@dataclass(frozen=True, slots=True)
class BlazeSpots:
    """Spots of blazes in the Fourier plane of an SLM; points are cycles over the panel (row, column).

    shape: of the panel. reach: how far from the zero order spots are placed, (rows, columns).
    """

    shape: tuple[int, int]
    reach: tuple[float, float]

    @property
    def bounds(self) -> Array:
        """A rectangle around the zero order."""
        return np.array([self.reach, self.reach]) * [[-1.0], [1.0]]

    def kernel(self, point: Array) -> Array:
        """Return 2 pi (n row / height + m column / width), 0 at the middle of the panel."""
        (height, width), (n, m) = self.shape, point
        rows = (np.arange(height) - height / 2) / height
        columns = (np.arange(width) - width / 2) / width
        return np.asarray(2.0 * np.pi * (n * rows[:, None] + m * columns[None, :]))

    def aperture(self, pupil: Array | None) -> Array | None:
        """Return None, the whole SLM: where light crosses it does not matter in the Fourier plane."""
        return None

    def panel(self, phase: Array) -> Array:
        """Return the phase: the panel is all pixels."""
        return phase

    @property
    def arriving(self) -> npt.NDArray[np.complex128]:
        """Even light."""
        return np.ones(self.shape, np.complex128)

    def side(self, axis: int, places: Array, stretch: float = 1.0) -> npt.NDArray[np.complex128]:
        """Return Fourier's integral; the distance has no part in it.

        Args:
            axis: 0 rows, 1 columns.
            places: in the plane, (S,).
            stretch: distance to the plane, relative to the data sheet.
        """
        size = self.shape[axis]
        pixels = (np.arange(size) - size / 2) / size
        return np.asarray(np.exp(-2j * np.pi * places[:, None] * pixels[None, :]))


def intensity(
    plane: SpotPlane, light: npt.NDArray[np.complex128], point: Array, steps: Array, stretch: float
) -> Array:
    """Return the intensity (S, S) at a point + (steps (S,), steps) from a field (height, width).

    Args:
        plane: on which spots are made.
        light: field on the SLM, (height, width).
        point: (row, column) in the plane.
        steps: distances from the point, (S,).
        stretch: distance to the plane, relative to the data sheet.
    """
    rows, columns = (plane.side(axis, point[axis] + steps, stretch) for axis in (0, 1))
    return np.asarray(np.abs(rows @ light @ columns.T) ** 2)


@dataclass(frozen=True, slots=True)
class Constellation:
    """points (K, 2) with their relative powers (K,), and the phase (h, w), radians, that makes them.

    pupils (K, 2): amplitude-weighted mean place of the pixels that make a spot; None if all do.
    """

    points: Array
    powers: Array
    pupils: Array | None
    phase: Array


def superpose(
    plane: SpotPlane, points: Array, powers: Array, pupils: Array | None, seed: int
) -> Constellation:
    """Return one phase pattern that makes all spots, with these relative powers.

    The argument of a weighted sum of kernels; weights and phases by Gerchberg-Saxton iterations
    over the spots (Di Leonardo 2007), on pixels drawn at random where there are many.

    Args:
        plane: on which spots are made.
        points: (K, 2).
        powers: relative powers, (K,).
        pupils: place on the SLM around which each spot's pixels are chosen, (K, 2).
        seed: of pixels and phases.
    """
    rng = np.random.default_rng(seed)
    count = int(np.prod(plane.shape))
    picked = np.arange(count)
    if count > MOST_SAMPLES:
        picked = rng.choice(count, MOST_SAMPLES, replace=False)
    centres = [None] * len(points) if pupils is None else list(pupils)
    apertures = [plane.aperture(centre) for centre in centres]
    waves = np.stack([np.exp(1j * plane.kernel(p).ravel()[picked]) for p in points])
    chosen = np.stack([np.ones(len(picked)) if a is None else a.ravel()[picked] for a in apertures])
    wanted = np.sqrt(powers / powers.mean())
    weights = wanted * np.exp(2j * np.pi * rng.random(len(points)))
    for _ in range(ITERATIONS):
        light = weights @ (chosen * waves)
        light /= np.maximum(np.abs(light), 1e-12)
        got = waves.conj() @ light
        share = wanted / np.maximum(np.abs(got), 1e-12)
        weights = np.abs(weights) * np.sqrt(share / share.mean()) * np.exp(1j * np.angle(got))
    total = np.zeros(plane.shape, np.complex128)
    for point, weight, aperture in zip(points, weights, apertures, strict=True):
        wave = weight * np.exp(1j * plane.kernel(point))
        total += wave if aperture is None else aperture * wave
    crossing = _centroids(plane.shape, apertures, np.abs(weights))
    return Constellation(points, powers, crossing, np.asarray(np.angle(total), np.float64))


def _centroids(
    shape: tuple[int, int], apertures: list[Array | None], weights: Array
) -> Array | None:
    """Return the mean place of each spot's share of the light, (K, 2); None without apertures."""
    known = [a for a in apertures if a is not None]
    if len(known) < len(apertures):
        return None
    found = np.empty((len(weights), 2))
    # A phase-only pixel shares its amplitude out among the spots that ask for it.
    parts = np.stack(known) * weights[:, None, None]
    parts /= np.sqrt(np.maximum((parts**2).sum(axis=0), 1e-12))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for index, part in enumerate(parts):
        found[index] = (part * rows).sum() / part.sum(), (part * columns).sum() / part.sum()
    return found
