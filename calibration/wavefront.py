"""Wavefront: phase and amplitude of the light on the SLM, by interference of super-pixels."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from calibration.registration import Registration
from calibration.result import Verdict
from calibration.spots import SpotPlane
from calibration.steps import CalibrationStep
from calibration.superpixel_fit import common_reference, smooth_map, unwrap
from drivers.protocols import SLM, Camera

Array = npt.NDArray[np.float64]
Fields = npt.NDArray[np.complex128]
BLOCKS = (12, 12)
STEPS = 3
ROUNDS = 3
EXPOSURE_FRAMES = 8
FILL = 0.6
LOBE = 0.6
"""How much of a super-pixel's spot is looked at: half a window in distances from peak to first zero."""
LEAST_PIXELS = 16
LEAST_CONTRAST = 4.0
"""Amplitudes in deviations, median over the super-pixels, below which there is no interference."""
LARGEST_HELD_OUT_RAD = 0.5
"""Super-pixels that were left out and are missed by more have no phase in common."""
LARGEST_MISS, LARGE_MISS = 0.2, 0.05


@dataclass(frozen=True, slots=True)
class Wavefront:
    """phase_rad, amplitude (h, w): of the light on the SLM's pixels; the correction is -phase_rad.

    Without piston; a tilt is what the registration cannot tell from a shift. amplitude: 1 at most.
    phase_sigma_rad, amplitude_sigma: standard deviation of a super-pixel, median over all. held_out_rad:
    rms on super-pixels that were left out of the smooth map. strehl: of the flat SLM by these maps, and
    gain_error: by how much the corrected spot's brightness, against the uncorrected one's, was foretold
    wrongly, a share.
    """

    phase_rad: Array = field(compare=False)
    amplitude: Array = field(compare=False)
    phase_sigma_rad: float
    amplitude_sigma: float
    held_out_rad: float
    strehl: float
    gain_error: float
    verdict: Verdict


def measure_wavefront(
    slm: SLM,
    camera: Camera,
    plane: SpotPlane,
    registration: Registration,
    pedestal_counts: float,
    settle: Callable[[], None],
    point: Array,
    blocks: tuple[int, int] = BLOCKS,
) -> Generator[CalibrationStep, None, Wavefront]:
    """All super-pixels in turn against the middle one, focused at a point of the plane, in three steps.

    The other pixels send their light to where the SLM reaches no further (a chequerboard of pixels), so
    that the exposure can be long enough for two super-pixels (Cizmar 2010). Only what moves with the
    step counts; it is compared with what the super-pixel makes by geometry, over its whole spot. Rounds
    after the first know the phase within each super-pixel from the one before. Frames: up to 8 for the
    exposure, three a super-pixel, and two that compare the spot with and without correction.
    On a folded bench this is the last patch, with all that the light has met before it.
    """
    if not np.isfinite(registration.matrix).all():
        return _failed("there is no registration")
    grid = _Blocks(plane.shape, blocks)
    kernel = plane.kernel(point)
    height, width = plane.shape
    dump = np.pi * ((np.arange(height)[:, None] + np.arange(width)) % 2)
    exposure_ms = camera.exposure_ms
    window, places = _window(camera, plane, registration, point, blocks)
    if len(places) < LEAST_PIXELS:
        return _failed("the super-pixels' spot falls off the camera")
    full = 2**camera.bit_depth - 1 - pedestal_counts
    total = EXPOSURE_FRAMES + STEPS * (len(grid.tests)) + 2
    done = 0

    def look(phase: Array) -> Array:
        slm.set_phase(plane.panel(phase))
        settle()
        return camera.get_frame().pixels[window].astype(np.float64) - pedestal_counts

    def pair(block: int, step: float) -> Array:
        phase = dump.copy()
        for which, extra in ((grid.reference, 0.0), (block, step)):
            place = grid.place(which)
            phase[place] = kernel[place] + extra
        return phase

    fringes = np.zeros((len(grid.tests), places.shape[0]), np.complex128)
    try:
        for done in range(EXPOSURE_FRAMES):
            frame = look(pair(grid.neighbour, 0.0))
            fill = float(np.partition(frame.ravel(), -16)[-16]) / full
            words = f"two super-pixels fill {fill:.0%}"
            yield CalibrationStep("wavefront", done, total, words, frame.astype(np.float32))
            if abs(fill - FILL) < 0.15 or not _expose(camera, fill):
                break
        for index, block in enumerate(grid.tests):
            for step in range(STEPS):
                angle = 2.0 * np.pi * step / STEPS
                frame = look(pair(block, angle))
                fringes[index] += frame.ravel() * np.exp(-1j * angle)
                done += 1
                words = f"super-pixel {index + 1} of {len(grid.tests)}"
                yield CalibrationStep("wavefront", done, total, words, frame.astype(np.float32))
        if float(np.abs(fringes).max()) < 1e-9:
            return _failed("nothing on the camera moves with the pattern")
        seen = _visibility(plane, grid, registration, point)
        maps = _evaluate(plane, grid, kernel, fringes, places, seen)
        if maps.contrast < LEAST_CONTRAST or not maps.held_out < LARGEST_HELD_OUT_RAD:
            return _failed("the super-pixels do not interfere on the camera")
        camera.exposure_ms = float(
            np.clip(camera.exposure_ms * maps.dim(grid), *camera.exposure_range_ms)
        )
        corrected = look(kernel - maps.phase)
        yield CalibrationStep(
            "wavefront", done + 1, total, "corrected", corrected.astype(np.float32)
        )
        plain = look(kernel)
        yield CalibrationStep("wavefront", done + 2, total, "plain", plain.astype(np.float32))
    finally:
        camera.exposure_ms = exposure_ms
    return _judged(plane, maps, kernel, places, corrected, plain, full)


@dataclass(frozen=True, slots=True)
class _Maps:
    phase: Array
    amplitude: Array
    phase_sigma: float
    amplitude_sigma: float
    held_out: float
    contrast: float

    def dim(self, grid: _Blocks) -> float:
        """By how much shorter an exposure all pixels together need than two super-pixels."""
        two = sum(
            float(self.amplitude[grid.place(b)].sum()) for b in (grid.reference, grid.neighbour)
        )
        return float((two / self.amplitude.sum()) ** 2)


class _Blocks:
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
        """(m, n) from a value for each tested super-pixel; NaN at the reference."""
        whole = np.full(self.blocks, np.nan)
        whole.flat[self.tests] = values
        return whole

    def place(self, block: int) -> tuple[slice, slice]:
        """Its pixels."""
        row, column = divmod(block, self.blocks[1])
        rows, columns = self._edges
        return slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1])


def _window(
    camera: Camera,
    plane: SpotPlane,
    registration: Registration,
    point: Array,
    blocks: tuple[int, int],
) -> tuple[tuple[slice, slice], Array]:
    """The window of a frame around a point's spot, and its pixels' places (X, 2) in the plane."""
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
    """Distance in the plane after which a super-pixel's light has turned by 2 pi across it."""
    size = plane.shape[axis]
    step = 1e-3
    sides = plane.side(axis, point[axis] + np.array([0.0, step]))
    turn = np.unwrap(np.angle(sides[1] * sides[0].conj()))
    return float(2.0 * np.pi * step / abs(turn[-1] - turn[0]) * (size - 1) / size * blocks)


def _expose(camera: Camera, fill: float) -> bool:
    before = camera.exposure_ms
    factor = 1.0 / 8.0 if fill > 0.95 else FILL / max(fill, FILL / 32.0)
    camera.exposure_ms = float(np.clip(before * factor, *camera.exposure_range_ms))
    return camera.exposure_ms != before


def _visibility(plane: SpotPlane, grid: _Blocks, registration: Registration, point: Array) -> Array:
    """(K,) what a camera pixel, a square, leaves of each super-pixel's fringes with the reference."""
    step = 1e-3
    to_plane = np.linalg.inv(registration.matrix)
    slopes = []
    for axis in (0, 1):
        near, far = plane.side(axis, point[axis] + np.array([0.0, step]))
        slopes.append(np.unwrap(np.angle(far * near.conj())) / (2.0 * np.pi * step))

    def wave(block: int) -> Array:
        """Cycles per unit of the plane at the middle of a super-pixel."""
        middles = [(part.start + part.stop - 1) / 2 for part in grid.place(block)]
        return np.array(
            [np.interp(m, np.arange(len(s)), s) for m, s in zip(middles, slopes, strict=True)]
        )

    waves = np.array([wave(block) - wave(grid.reference) for block in grid.tests])
    return np.asarray(np.sinc(waves @ to_plane).prod(axis=1))


def _evaluate(
    plane: SpotPlane,
    grid: _Blocks,
    kernel: Array,
    fringes: Fields,
    places: Array,
    seen: Array,
) -> _Maps:
    """Phase and amplitude of all super-pixels, and the maps through them."""
    sides = [plane.side(axis, places[:, axis]) for axis in (0, 1)]
    within = np.ones(plane.shape, np.complex128)
    maps: _Maps | None = None
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
        maps = _Maps(
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


def _judged(
    plane: SpotPlane,
    maps: _Maps,
    kernel: Array,
    places: Array,
    corrected: Array,
    plain: Array,
    full: float,
) -> Wavefront:
    """Compare the corrected spot's gain in brightness with what the maps foretell."""
    rows, columns = (plane.side(axis, places[:, axis]) for axis in (0, 1))

    def peak(phase: Array) -> float:
        light = maps.amplitude * np.exp(1j * (maps.phase + phase))
        return float((np.abs(((rows @ light) * columns).sum(axis=1)) ** 2).max())

    def seen(frame: Array) -> float:
        return float(np.sort(frame.ravel())[-4:].mean())

    foretold = peak(kernel - maps.phase) / peak(kernel)
    measured = seen(corrected) / max(seen(plain), 1e-9)
    miss = abs(measured / foretold - 1.0)
    light = maps.amplitude * np.exp(1j * maps.phase)
    strehl = float(np.abs(light.sum()) ** 2 / maps.amplitude.sum() ** 2)
    phase = maps.phase - np.average(maps.phase, weights=maps.amplitude**2)
    words = (
        f"super-pixels known to {maps.phase_sigma:.3f} rad, held-out ones to {maps.held_out:.3f} rad; "
        f"the correction makes the spot {measured:.2f} times as bright, foretold {foretold:.2f}"
    )
    verdict = Verdict("pass", words)
    again = "Is the laser steady, and is the phase response calibrated? Run it again."
    if miss > LARGEST_MISS or measured < 1.0 - LARGE_MISS:
        verdict = Verdict("fail", words, again)
    elif miss > LARGE_MISS:
        verdict = Verdict("warn", words, again)
    if corrected.max() >= full:
        verdict = Verdict("warn", f"{words}; it saturates the camera", "Lower the laser's power.")
    return Wavefront(
        phase,
        maps.amplitude,
        maps.phase_sigma,
        maps.amplitude_sigma,
        maps.held_out,
        strehl,
        miss,
        verdict,
    )


def _failed(reason: str) -> Wavefront:
    nan = float("nan")
    remedy = "Is the laser on, the SLM not frozen, and the registration of this bench?"
    empty = np.full((1, 1), nan)
    return Wavefront(empty, empty, nan, nan, nan, nan, nan, Verdict("fail", reason, remedy))
