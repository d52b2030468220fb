"""Phase response: the phase that each grey level really gives."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.layout import PatchLayout
from calibration.result import Verdict
from calibration.steps import CalibrationStep
from drivers.protocols import SLM, Camera

Array = npt.NDArray[np.float64]
POLYNOMIAL_ORDER = 7
LARGEST_RESIDUAL_RAD = 0.10
LEAST_LIGHT = 4.0
BLOCKS = 2
"""Blocks of the chequerboard along each side of the patch."""
GRAIN_PX = 2


@dataclass(frozen=True, slots=True)
class PhaseResponse:
    """phase_by_grey_rad: (2**bits,), 0 at grey 0. held_out_rad: rms on levels not fitted."""

    phase_by_grey_rad: Array
    held_out_rad: float
    verdict: Verdict


def measure_phase_response(
    slm: SLM,
    camera: Camera,
    layout: PatchLayout,
    pedestal_counts: float,
    settle: Callable[[], None],
    levels: int = 64,
    seed: int = 0,
) -> Generator[CalibrationStep, None, PhaseResponse]:
    """Two quadrants of the last patch at grey 0, two at grey g, for `levels` values of g.

    Whatever the optics, the field on the camera is A + exp(j phi(g)) B, so every pixel sees
    a + b cos phi(g) + c sin phi(g) with its own a, b, c: over all pixels the frames form an ellipse
    in a plane, which principal components find and which is mapped back to a circle (phase
    shifting by principal components, Vargas 2011). Nothing of the optics need be known.

    At a block's rim the fringing field makes phases in between, which would bias the result. Hence few
    rims, and a random pattern on the patch before, which scatters the light so that it interferes all
    over the camera and not at the rims alone (trials: 0.07 rad without, 0.02 rad with it).
    """
    height, width = layout.patch_shape
    top_grey = 2**slm.bit_depth - 1
    greys = np.unique(np.rint(np.linspace(0, top_grey, levels)).astype(int))
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:BLOCKS, :BLOCKS]
    mask = _magnified((rows + columns) % 2 == 0, layout.patch_shape)
    panel = np.zeros(layout.panel_shape)
    *others, left = layout.lefts
    patch = panel[layout.top : layout.top + height, left : left + width]
    if others:
        grains = (-(-height // GRAIN_PX), -(-width // GRAIN_PX))
        before = panel[layout.top : layout.top + height, others[-1] : others[-1] + width]
        before[:] = _magnified(rng.integers(0, top_grey + 1, grains), layout.patch_shape)
    frames = []
    for index, grey in enumerate(greys):
        patch[mask] = grey
        slm.set_grey(panel)
        settle()
        frame = camera.get_frame().pixels.astype(np.float32) - np.float32(pedestal_counts)
        frames.append(frame.ravel())
        yield CalibrationStep("phase response", index, len(greys), f"grey {grey}", frame)
    return _phase_from_frames(np.stack(frames).astype(np.float64), greys, top_grey)


def _magnified(cells: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Each cell as a block, all together (h, w)."""
    rows, columns = (np.arange(n) * cells.shape[i] // n for i, n in enumerate(shape))
    return cells[np.ix_(rows, columns)]


def _phase_from_frames(frames: Array, greys: npt.NDArray[np.int_], top_grey: int) -> PhaseResponse:
    centred = frames - frames.mean(axis=0)
    # The small Gram matrix has the same principal components as the large covariance.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    if values[-2] < LEAST_LIGHT * max(values[-3], 1e-12):
        verdict = Verdict(
            "fail",
            "the frames hardly change with the grey level",
            "Check that the laser is on, that the SLM shows patterns, and its polarisation.",
        )
        return PhaseResponse(np.full(top_grey + 1, np.nan), float("nan"), verdict)
    points = vectors[:, -2:] * np.sqrt(values[-2:])
    angle = np.unwrap(_angle_on_ellipse(points))
    angle -= angle[0]
    if angle[-1] < 0:
        angle = -angle
    x = greys / top_grey
    held = np.arange(len(greys)) % 5 == 2
    powers = np.arange(1, POLYNOMIAL_ORDER + 1)
    weights = np.linalg.lstsq(x[~held, None] ** powers, angle[~held], rcond=None)[0]
    check = float(np.sqrt(np.mean((x[held, None] ** powers @ weights - angle[held]) ** 2)))
    table = (np.arange(top_grey + 1) / top_grey)[:, None] ** powers @ weights
    verdict = Verdict(
        "pass", f"{table[-1] / np.pi:.3f} pi at the top, held-out rms {check:.3f} rad"
    )
    if check > LARGEST_RESIDUAL_RAD or (np.diff(table) < -0.01).any():
        verdict = Verdict(
            "fail",
            f"the response is not monotone, or misses held-out levels by {check:.2f} rad",
            "Is the laser's power steady and nothing saturated? Run it again.",
        )
    return PhaseResponse(table, check, verdict)


def _angle_on_ellipse(points: Array) -> Array:
    """Angles of points (K, 2) after the ellipse through them has been mapped to a circle."""
    scale = np.abs(points).max()
    x, y = (points / scale).T
    design = np.column_stack([x * x, x * y, y * y, x, y])
    a, b, c, d, e = np.linalg.lstsq(design, np.ones(len(x)), rcond=None)[0]
    quadratic = np.array([[a, b / 2], [b / 2, c]])
    centre = np.linalg.solve(-2.0 * quadratic, np.array([d, e]))
    strengths, axes = np.linalg.eigh(quadratic)
    circle = (np.column_stack([x, y]) - centre) @ axes * np.sqrt(np.abs(strengths))
    angle: Array = np.arctan2(circle[:, 1], circle[:, 0])
    return angle
