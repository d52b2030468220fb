"""An affine map from where spots should be to where they are, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
ROUNDS = 6
OUTLIER = 3.5
"""Spots further off than so many median errors are left out."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The spots of one frame that were found, (S, 2) each.

    points: asked for; expected: in the plane, as the pattern makes them; pupils: where on the SLM each
    comes from, None if that has no part in it; places: on the camera, sigma_px (S,) each coordinate.
    width_px: Gaussian width of a spot on the camera.
    """

    points: Array
    expected: Array
    pupils: Array | None
    places: Array
    sigma_px: Array
    width_px: float

    def expecting(self, places: Array) -> Sighting:
        """Return the same points with other expected places."""
        return replace(self, expected=places)

    @property
    def design(self) -> Array:
        """(S, 3) or (S, 5): plane place, 1, and how far aside of its spot the light comes from."""
        columns = [self.expected, np.ones((len(self.expected), 1))]
        if self.pupils is not None:
            columns.append(self.points - self.pupils)
        return np.hstack(columns)


@dataclass(frozen=True, slots=True)
class MapFit:
    """solution (3 or 5, 2); covariance (3 or 5, 3 or 5) of either coordinate; residual_px: rms."""

    solution: Array
    covariance: Array
    residual_px: float

    def __call__(self, sighting: Sighting) -> Array:
        """Return places (S, 2) on the camera."""
        return np.asarray(sighting.design @ self.solution)

    @property
    def matrix(self) -> Array:
        """(2, 2) from (row, column) in the plane to (row, column) on the camera."""
        return np.asarray(self.solution[:2].T)

    @property
    def offset(self) -> Array:
        """(2,), camera pixels."""
        return np.asarray(self.solution[2])

    @property
    def stretch(self) -> float:
        """By what share the plane is further than expected, for light that arrives plane."""
        if len(self.solution) == 3:
            return 0.0
        return float(np.trace(np.linalg.solve(self.matrix, self.solution[3:].T)) / 2.0)


def fit_map(sightings: list[Sighting]) -> MapFit:
    """Fit by weighted least squares; what the camera's noise does not explain is the same for all spots.

    Light from aside of its spot moves when the plane is nearer or further than expected, or when it
    arrives curved: a column for each coordinate takes that up.
    """
    design = np.vstack([s.design for s in sightings])
    places = np.vstack([s.places for s in sightings])
    sigma = np.concatenate([s.sigma_px for s in sightings])
    good = np.ones(len(design), bool)
    floor = 0.0
    solution = np.zeros((design.shape[1], 2))
    for _ in range(ROUNDS):
        root = 1.0 / np.sqrt(sigma**2 + floor**2 + 1e-12)
        weighted = design[good] * root[good, None]
        solution = np.linalg.lstsq(weighted, places[good] * root[good, None], rcond=None)[0]
        errors = np.linalg.norm(design @ solution - places, axis=1)
        scaled = errors * root
        good = scaled <= max(OUTLIER * float(np.median(scaled)), 1e-9)
        spare = 2.0 * (good.sum() - design.shape[1])
        variance = float(np.sum(errors[good] ** 2)) / max(spare, 1.0)
        floor = np.sqrt(max(variance - float(np.mean(sigma[good] ** 2)), 0.0))
    root = 1.0 / np.sqrt(sigma**2 + floor**2 + 1e-12)
    weighted = design[good] * root[good, None]
    residual = float(np.sqrt(np.mean(errors[good] ** 2)))
    return MapFit(solution, np.linalg.pinv(weighted.T @ weighted), residual)


def map_sigma(fit: MapFit, points: Array) -> float:
    """Return the map's standard deviation, both coordinates together, rms over points (K, 2)."""
    design = np.column_stack([points, np.ones(len(points))])
    variance = np.einsum("ki,ij,kj->k", design, fit.covariance[:3, :3], design)
    return float(np.sqrt(2.0 * variance.mean()))
