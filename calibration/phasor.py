"""The phase of one area of the SLM as every camera pixel tells it, also while it changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calibration.ellipse import circle_from_ellipse

Array = npt.NDArray[np.float64]
Phasors = npt.NDArray[np.complex128]
BEND = 4
LEAST_LIGHT = 4.0
"""The two components that turn with the phase must be so much stronger than the third, in power."""


@dataclass(frozen=True, slots=True)
class PhasorPlane:
    """Where frames lie when an area's phase alone changes: every pixel sees a + b cos phi + c sin phi.

    A frame is linear in exp(j phi), so what an exposure sees of a phase that moves is the phasor's mean
    over the exposure, however strong the interference.

    basis: (3, pixels), the mean frame and the two frames that turn with the phase. to_circle: (2, 2)
    and centre (2,), from coordinates on the plane to the unit circle. level_rad: (K,) phases of
    the frames from which it was made. bend: (BEND + 1,) what the area's rim, where the fringing field
    makes phases in between, turns the circle into. spread: rms distance of the frames from the curve,
    both components, rad.
    """

    basis: Array
    centre: Array
    to_circle: Array
    level_rad: Array
    bend: npt.NDArray[np.complex128]
    spread: float

    def curve(self, phase_rad: Array) -> Phasors:
        """Return where a phase lies: exp(j phi) times a polynomial in phi."""
        turned: Phasors = np.exp(1j * phase_rad) * np.polyval(self.bend, phase_rad / np.pi)
        return turned

    def phasors(self, frames: Array) -> Phasors:
        """Return exp(j phi), (K,), of frames (K, pixels), counts without pedestal.

        The light's power is a third coordinate: what a laser flickers is not taken for phase.
        """
        gram = self.basis @ self.basis.T
        power, first, second = np.linalg.solve(gram, self.basis @ frames.T)
        circle = (np.stack([first, second], axis=1) / power[:, None] - self.centre) @ self.to_circle
        turned: Phasors = circle[:, 0] + 1j * circle[:, 1]
        return turned


def find_plane(frames: Array, again: Array, phase_rad: Array | None) -> PhasorPlane | None:
    """Find the plane in frames (K, pixels) of rising, settled phase; None if they show none.

    Two sets in steps below pi. The first set tells the plane, the second where on it the phases lie: what
    noise there is in the plane's frames would otherwise be seen as light, and the circle be taken too
    large. Principal components find the plane, an ellipse in it is mapped to the unit circle (phase
    shifting by principal components, Vargas et al., Opt. Lett. 36, 1326 (2011)).

    Args:
        frames: (K, pixels), in steps below pi.
        again: a second set of the same phases, (K, pixels).
        phase_rad: phases of the frames, (K,); None: they are the angles on the circle.
    """
    mean = frames.mean(axis=0)
    centred = frames - mean
    values, vectors = np.linalg.eigh(centred @ centred.T)
    if values[-2] < LEAST_LIGHT * max(values[-3], 1e-12):
        return None
    turning = vectors[:, -2:].T @ centred
    turning /= np.linalg.norm(turning, axis=1, keepdims=True)
    basis = np.concatenate([mean[None], turning])
    power, first, second = np.linalg.solve(basis @ basis.T, basis @ again.T)
    points = np.stack([first, second], axis=1) / power[:, None]
    mapped = circle_from_ellipse(points)
    if mapped is None:
        return None
    centre, to_circle = mapped
    circle = (points - centre) @ to_circle
    angle = np.unwrap(np.arctan2(circle[:, 1], circle[:, 0]))
    if angle[-1] < angle[0]:
        to_circle = to_circle * (1.0, -1.0)
        angle = -angle
    level_rad = angle - angle[0] if phase_rad is None else phase_rad
    # The phases' mean offset turns the circle, so that exp(j phi) lies at phi.
    turn = float(np.mean(angle - level_rad))
    cosine, sine = np.cos(turn), np.sin(turn)
    to_circle = to_circle @ np.array([[cosine, -sine], [sine, cosine]])
    seen: Phasors = (points - centre) @ to_circle @ np.array([1.0, 1j])
    bend = np.polyfit(level_rad / np.pi, seen * np.exp(-1j * level_rad), BEND)
    plane = PhasorPlane(basis, centre, to_circle, level_rad, bend, 0.0)
    missed = np.abs(seen - plane.curve(level_rad)) ** 2
    return replace(plane, spread=float(np.sqrt(missed.sum() / (len(missed) - BEND - 1))))
