"""slmsuite's own calibrations on its simulated devices, with as good a choice of options as was found."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmarks.calibration_checks.slmsuite_bench import PeerBench
from calibration.spots import BlazeSpots

Array = npt.NDArray[np.float64]
SIDE, PITCHES = 10, (4, 6, 8, 10)
"""slmsuite's spot array, and the distances in cycles of which the best counts."""
SUPERPIXEL = 16
LEVELS = 16


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide slmsuite's progress bars."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


def map_error_px(bench: PeerBench, matrix: Array, offset: Array) -> float:
    """Return the rms error of a map over the whole camera, px."""
    height, width = bench.camera.shape
    grid = np.meshgrid(np.linspace(0, height - 1, 9), np.linspace(0, width - 1, 9))
    places = np.stack(grid, axis=-1).reshape(-1, 2)
    cycles = (places - bench.offset) @ np.linalg.inv(bench.matrix).T
    missed = cycles @ matrix.T + offset - places
    return float(np.sqrt(np.mean(np.sum(missed**2, axis=1))))


def their_registration(bench: PeerBench) -> float:
    """Return the error of fourier_calibrate with the best of PITCHES, px."""
    errors = [np.inf]
    for pitch in PITCHES:
        with quiet(), contextlib.suppress(Exception):
            bench.peer.fourier_grid_project(array_shape=SIDE, array_pitch=pitch)
            bench.expose(SIDE**2)
            found = bench.peer.fourier_calibrate(array_shape=SIDE, array_pitch=pitch)
            affine = np.array(found["M"])
            offset = np.ravel(found["b"]) - affine @ np.ravel(found["a"])
            per_cycle = affine / (np.array(bench.slm.shape)[::-1] * bench.peer.slm.pitch)
            errors.append(map_error_px(bench, per_cycle[::-1, ::-1], offset[::-1]))
    return float(min(errors))


def their_wavefront(bench: PeerBench, point: Array, steps: int) -> tuple[Array, Array, int]:
    """Return correction, amplitude and frames of wavefront_calibrate with super-pixels."""
    peer = bench.peer
    cycles = np.array(bench.slm.shape)[::-1] * peer.slm.pitch
    affine = bench.matrix[::-1, ::-1] * cycles
    peer.fourier_calibrate_analytic(affine, bench.offset[::-1])
    _pair_exposure(bench, point)
    taken = 0
    get_image = peer.cam.get_image

    def counted(*arguments: object, **options: object) -> object:
        nonlocal taken
        taken += 1
        return get_image(*arguments, **options)

    peer.cam.get_image = counted
    try:
        with quiet():
            place = (bench.matrix @ point + bench.offset)[::-1]
            peer.wavefront_calibrate(
                method="superpixel",
                calibration_points=np.rint(place),
                superpixel_size=SUPERPIXEL,
                phase_steps=steps,
                field_point=tuple(-0.25 / peer.slm.pitch),
                plot=-1,
            )
            source = peer.wavefront_calibration_superpixel_process(plot=0)
    finally:
        peer.cam.get_image = get_image
    return np.array(source["phase"]), np.array(source["amplitude"]), taken


def _pair_exposure(bench: PeerBench, point: Array) -> None:
    """Set the exposure as ours: two super-pixels in the middle together fill 60 % of full scale."""
    height, width = bench.slm.shape
    phase = np.pi * ((np.arange(height)[:, None] + np.arange(width)) % 2)
    kernel = BlazeSpots(bench.slm.shape, (1.0, 1.0)).kernel(point)
    here = np.s_[
        height // 2 : height // 2 + SUPERPIXEL, width // 2 - SUPERPIXEL : width // 2 + SUPERPIXEL
    ]
    phase[here] = kernel[here]
    bench.slm.set_phase(phase)
    bench.expose(16, 0.6)


def their_response(bench: PeerBench, true_rad: Array) -> tuple[float, int]:
    """Return error and frames of pixel_calibrate with 16 levels, each against each."""
    peer = bench.peer
    cycles = np.array(bench.slm.shape)[::-1] * peer.slm.pitch
    peer.fourier_calibrate_analytic(bench.matrix[::-1, ::-1] * cycles, bench.offset[::-1])
    bench.slm.set_phase(np.zeros(bench.slm.shape))
    bench.expose(16, 0.6)
    error = float("inf")
    with quiet(), contextlib.suppress(Exception):
        peer.pixel_calibrate(levels=LEVELS, periods=[8], orders=1, directions="x")
        found = peer.pixel_calibration_process(apply=False)
        levels = np.array(peer.calibrations["pixel"]["levels"]).astype(int)
        error = float(np.std(2.0 * np.pi * np.ravel(found) - true_rad[levels]))
    return error, LEVELS**2
