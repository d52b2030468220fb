"""The phase of one area of the SLM as every camera pixel tells it, also while it changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAST_LIGHT = 4.0
"""The two components that turn with the phase must be so much stronger than the third, in power."""


@dataclass(frozen=True, slots=True)
class PhasorPlane:
    """Where frames lie when an area's phase alone changes: every pixel sees a + b cos phi + c sin phi.

    A frame is linear in exp(j phi), so what an exposure sees of a phase that moves is the phasor's mean
    over the exposure, however strong the interference.

    basis: (3, pixels), the mean frame and the two frames that turn with the phase. to_circle: (2, 2)
    and centre (2,), from coordinates on the plane to the unit circle. level_rad: (K,) phases of
    the frames from which it was made, against the first. spread: rms distance of these frames from
    their places, both components, rad.
    """

    basis: Array
    centre: Array
    to_circle: Array
    level_rad: Array
    spread: float

    def phasors(self, frames: Array) -> npt.NDArray[np.complex128]:
        """exp(j phi) of frames (K, pixels), counts without pedestal; (K,).

        The light's power is a third coordinate: what a laser flickers does not look like phase.
        """
        gram = self.basis @ self.basis.T
        power, first, second = np.linalg.solve(gram, self.basis @ frames.T)
        circle = (np.stack([first, second], axis=1) / power[:, None] - self.centre) @ self.to_circle
        turned: npt.NDArray[np.complex128] = circle[:, 0] + 1j * circle[:, 1]
        return turned


def find_plane(frames: Array) -> PhasorPlane | None:
    """From frames (K, pixels) of rising, settled phase in steps below pi; None if they show none.

    Principal components find the plane, an ellipse in it is mapped to the unit circle (phase shifting
    by principal components, Vargas et al., Opt. Lett. 36, 1326 (2011)).
    """
    mean = frames.mean(axis=0)
    centred = frames - mean
    values, vectors = np.linalg.eigh(centred @ centred.T)
    if values[-2] < LEAST_LIGHT * max(values[-3], 1e-12):
        return None
    turning = vectors[:, -2:].T @ centred
    turning /= np.linalg.norm(turning, axis=1, keepdims=True)
    basis = np.concatenate([mean[None], turning])
    power, first, second = np.linalg.solve(basis @ basis.T, basis @ frames.T)
    points = np.stack([first, second], axis=1) / power[:, None]
    mapped = _circle(points)
    if mapped is None:
        return None
    centre, to_circle = mapped
    angle = np.unwrap(np.arctan2(*((points - centre) @ to_circle).T[::-1]))
    if angle[-1] < angle[0]:
        to_circle = to_circle * (1.0, -1.0)
        angle = -angle
    # The first level is phase 0.
    cosine, sine = np.cos(angle[0]), np.sin(angle[0])
    to_circle = to_circle @ np.array([[cosine, -sine], [sine, cosine]])
    level_rad = angle - angle[0]
    radius = np.linalg.norm((points - centre) @ to_circle, axis=1)
    return PhasorPlane(
        basis, centre, to_circle, level_rad, float(np.sqrt(2.0) * np.std(radius))
    )


def _circle(points: Array) -> tuple[Array, Array] | None:
    """Centre (2,) and matrix (2, 2) that map the ellipse through points (K, 2) to the unit circle."""
    scale = float(np.abs(points).max())
    x, y = (points / scale).T
    design = np.column_stack([x * x, x * y, y * y, x, y])
    a, b, c, d, e = np.linalg.lstsq(design, np.ones(len(x)), rcond=None)[0]
    quadratic = np.array([[a, b / 2.0], [b / 2.0, c]])
    strengths, axes = np.linalg.eigh(quadratic)
    if not (strengths > 0.0).all() and not (strengths < 0.0).all():
        return None  # a hyperbola: what changed was no phase
    centre = np.linalg.solve(-2.0 * quadratic, np.array([d, e]))
    # (p - c) Q (p - c) = 1 + c Q c on the ellipse.
    level = 1.0 + float(centre @ quadratic @ centre)
    matrix: Array = axes * np.sqrt(strengths / level) / scale
    return centre * scale, matrix
