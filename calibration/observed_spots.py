"""What was seen of a constellation, and where it should have been seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calibration.map_fit import Sighting
from calibration.spot_search import Spots, centre_of
from calibration.spots import Constellation, SpotPlane, intensity

Array = npt.NDArray[np.float64]


def sight(constellation: Constellation, which: npt.NDArray[np.int_], spots: Spots) -> Sighting:
    """Select the spots of the constellation's points.

    Args:
        constellation: of the pattern.
        which: index of each point's spot, (K,); -1: not found.
        spots: that were found.
    """
    seen = which >= 0
    pupils = None if constellation.pupils is None else constellation.pupils[seen]
    points = constellation.points[seen]
    return Sighting(
        points,
        points,
        pupils,
        spots.places[which[seen]],
        spots.sigma_px[which[seen]],
        spots.width_px,
    )


def predicted_spots(
    plane: SpotPlane,
    constellation: Constellation,
    sighting: Sighting,
    solution: Array,
    stretch: float,
) -> Sighting:
    """Return the spots with the places where a camera of this scale should find the centroids.

    Args:
        plane: on which spots are made.
        constellation: of the pattern.
        sighting: the spots that were found.
        solution: affine map from the plane to the camera, (3, 2).
        stretch: distance to the plane, relative to the data sheet.
    """
    scale = float(np.sqrt(np.abs(np.linalg.det(solution[:2]))))
    width = sighting.width_px / scale
    steps = np.asarray(np.arange(-8.0, 9.0) * 0.5 * width, np.float64)
    light = plane.arriving * np.exp(1j * constellation.phase)
    expected = []
    for point in sighting.points:
        spot = intensity(plane, light, point, steps, stretch)
        centre, _, _ = centre_of(spot, np.array([8.0, 8.0]), 2.0, 1e-9)
        expected.append(point + (centre - 8.0) * 0.5 * width)
    places = np.array(expected)
    lost = ~np.isfinite(places).all(axis=1)
    places[lost] = sighting.points[lost]
    return sighting.expecting(places)
