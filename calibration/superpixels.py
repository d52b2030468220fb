"""Super-pixels of an SLM: where they are, what the camera sees of each, and the maps through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.registration import Registration
from calibration.spots import SpotPlane
from calibration.superpixel_fit import common_reference, smooth_map, unwrap
from drivers.protocols import Camera

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.complex128]
ROUNDS = 3
LOBE = 0.6
"""How much of a super-pixel's spot is looked at: half a window in distances from peak to first zero."""


@dataclass(frozen=True, slots=True)
class WavefrontMaps:
    """phase, radians, and amplitude, 1 at most, (h, w); medians of their deviations; held-out rms, rad.

    contrast: amplitude in deviations, median over the super-pixels.
    """

    phase: Array
    amplitude: Array
    phase_sigma: float
    amplitude_sigma: float
    held_out: float
    contrast: float

    def dim(self, grid: SuperPixelGrid) -> float:
        """Return by how much shorter an exposure all pixels together need than two super-pixels."""
        two = sum(
            float(self.amplitude[grid.place(b)].sum()) for b in (grid.reference, grid.neighbour)
        )
        return float((two / self.amplitude.sum()) ** 2)


class SuperPixelGrid:
    """Super-pixels, counted row by row; the reference is the middle one."""

    def __init__(self, shape: tuple[int, int], blocks: tuple[int, int]) -> None:
        self.blocks = blocks
        self._edges = [
            np.linspace(0, n, m + 1).astype(int) for n, m in zip(shape, blocks, strict=True)
        ]
        self.reference = (blocks[0] // 2) * blocks[1] + blocks[1] // 2
        self.neighbour = self.reference + 1
        self.tests = [b for b in range(blocks[0] * blocks[1]) if b != self.reference]

    def laid_out(self, values: npt.NDArray[np.floating]) -> Array:
        """Return a value for each tested super-pixel on their grid, (m, n); NaN at the reference."""
        whole = np.full(self.blocks, np.nan)
        whole.flat[self.tests] = values
        return whole

    def place(self, block: int) -> tuple[slice, slice]:
        """Return a super-pixel's pixels."""
        row, column = divmod(block, self.blocks[1])
        rows, columns = self._edges
        return slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1])


def spot_window(
    camera: Camera,
    plane: SpotPlane,
    registration: Registration,
    point: Array,
    blocks: tuple[int, int],
) -> tuple[tuple[slice, slice], Array]:
    """Return the window of a frame around a point's spot, and its pixels' places (X, 2) in the plane.

    Args:
        camera: the camera.
        plane: on which spots are made.
        registration: where the plane lies on the sensor.
        point: (row, column) in the plane.
        blocks: numbers of super-pixels.
    """
    origin = np.array([camera.roi.top, camera.roi.left])
    centre = registration.plane_to_camera(point[None])[0] - origin
    # From peak to first zero, along each axis of the plane.
    lobes = np.array([_first_zero(plane, axis, point, blocks[axis]) for axis in (0, 1)])
    reach = LOBE * float(np.min(np.linalg.norm(registration.matrix, axis=0) * lobes))
    low = np.maximum(np.ceil(centre - reach), 0).astype(int)
    high = np.minimum(np.floor(centre + reach) + 1, camera.roi.shape).astype(int)
    high = np.maximum(high, low)
    pixels = np.mgrid[low[0] : high[0], low[1] : high[1]].reshape(2, -1).T
    places = (pixels + origin - registration.offset) @ np.linalg.inv(registration.matrix).T
    return (slice(low[0], high[0]), slice(low[1], high[1])), places


def _first_zero(plane: SpotPlane, axis: int, point: Array, blocks: int) -> float:
    """Return the distance in the plane after which a super-pixel's light has turned by 2 pi across it."""
    size = plane.shape[axis]
    step = 1e-3
    sides = plane.side(axis, point[axis] + np.array([0.0, step]))
    turn = np.unwrap(np.angle(sides[1] * sides[0].conj()))
    return float(2.0 * np.pi * step / abs(turn[-1] - turn[0]) * (size - 1) / size * blocks)


def pixel_visibility(
    plane: SpotPlane, grid: SuperPixelGrid, registration: Registration, point: Array
) -> Array:
    """Return what a square camera pixel leaves of each super-pixel's fringes, (K,).

    Args:
        plane: on which spots are made.
        grid: the super-pixels.
        registration: where the plane lies on the sensor.
        point: (row, column) in the plane.
    """
    step = 1e-3
    to_plane = np.linalg.inv(registration.matrix)
    slopes = []
    for axis in (0, 1):
        near, far = plane.side(axis, point[axis] + np.array([0.0, step]))
        slopes.append(np.unwrap(np.angle(far * near.conj())) / (2.0 * np.pi * step))

    def wave(block: int) -> Array:
        """Return cycles per unit of the plane at the middle of a super-pixel."""
        middles = [(part.start + part.stop - 1) / 2 for part in grid.place(block)]
        return np.array(
            [np.interp(m, np.arange(len(s)), s) for m, s in zip(middles, slopes, strict=True)]
        )

    waves = np.array([wave(block) - wave(grid.reference) for block in grid.tests])
    return np.asarray(np.sinc(waves @ to_plane).prod(axis=1))


def wavefront_maps(
    plane: SpotPlane,
    grid: SuperPixelGrid,
    kernel: Array,
    fringes: Fields,
    places: Array,
    seen: Array,
) -> WavefrontMaps:
    """Find phase and amplitude of all super-pixels, and the maps through them.

    Args:
        plane: on which spots are made.
        grid: the super-pixels.
        kernel: of the lens, (h, w).
        fringes: measured, (K, X).
        places: of the pixels in the plane, (X, 2).
        seen: share of the fringes that a pixel leaves, (K,).
    """
    sides = [plane.side(axis, places[:, axis]) for axis in (0, 1)]
    within = np.ones(plane.shape, np.complex128)
    maps: WavefrontMaps | None = None
    for _ in range(ROUNDS):
        templates = np.empty_like(fringes)
        for index, block in enumerate(grid.tests):
            rows, columns = grid.place(block)
            light = within[rows, columns] * np.exp(1j * kernel[rows, columns])
            spot = ((sides[0][:, rows] @ light) * sides[1][:, columns]).sum(axis=1)
            templates[index] = seen[index] * spot
        factors, _, sigma = common_reference(fringes, templates)
        amplitude = grid.laid_out(np.abs(factors))
        deviation, phase = grid.laid_out(sigma), grid.laid_out(np.angle(factors))
        phase_sigma = deviation / np.maximum(amplitude, deviation)
        smooth, held_out, _ = smooth_map(
            unwrap(phase, np.nan_to_num(amplitude)), phase_sigma, plane.shape
        )
        even, _, _ = smooth_map(amplitude, deviation, plane.shape)
        even = np.maximum(even, 0.0)
        maps = WavefrontMaps(
            smooth,
            even / even.max(),
            float(np.nanmedian(phase_sigma)),
            float(np.nanmedian(deviation) / even.max()),
            held_out,
            float(np.nanmedian(amplitude / deviation)),
        )
        within = np.ones(plane.shape, np.complex128)
        for block in grid.tests:
            place = grid.place(block)
            part = smooth[place]
            # So that a factor has the block's mean amplitude, and the phase of its middle.
            middle = part[part.shape[0] // 2, part.shape[1] // 2]
            share = even[place] / max(float(even[place].mean()), 1e-9)
            within[place] = share * np.exp(1j * (part - middle))
    assert maps is not None
    return maps
