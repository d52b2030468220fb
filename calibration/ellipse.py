"""From the ellipse on which frames of a turning phase lie to the circle of the phase."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def circle_from_ellipse(points: Array) -> tuple[Array, Array] | None:
    """Centre (2,) and matrix (2, 2) that map the ellipse through points (K, 2) to the unit circle.

    (points - centre) @ matrix; None if what lies best through the points is no ellipse.
    """
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
