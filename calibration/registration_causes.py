"""Which constellation a frame shows, and what may be wrong where that does not fit the other frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calibration.constellation import LEAST_SCORE, assign, identify, reach_of
from calibration.map_fit import OUTLIER
from calibration.signs import Sign
from calibration.spot_search import Spots
from calibration.spots import Constellation

Array = npt.NDArray[np.float64]
REACH_PX = 4.0
"""Largest distance of a spot from its expected place, camera pixels."""
LEAST_INSIDE = 0.8
"""Share of a constellation's places below which the output plane is thought to leave the frame."""
LAYOUT_REMEDY = (
    "Does all of the output plane lie on the camera? Are pitch, wavelength and gap right?"
)
LIGHT_REMEDY = (
    "Does light reach all of the last patch, and the stroke of the SLM 2 pi? Are pitch, wavelength and gap "
    "right?"
)
MOVED = "Did the camera or the mirror move during the measurement? Run it again."
STATIC = "Is the SLM frozen, or does the pattern go to another monitor? Is the laser on?"


def first_known(constellations: list[Constellation], found: list[Spots]) -> Array | None:
    """Return the map (3, 2) of the first constellation that is known again; None if none is.

    Args:
        constellations: one for each frame.
        found: spots of each frame.
    """
    for constellation, spots in zip(constellations, found, strict=True):
        known = identify(constellation.points, spots, REACH_PX)
        if known is not None:
            return known[0]
    return None


def places_of(constellation: Constellation, solution: Array) -> Array:
    """Return the places (K, 2) on the camera of a constellation's points, by a map (3, 2)."""
    points = constellation.points
    return np.asarray(np.column_stack([points, np.ones(len(points))]) @ solution)


def inside_frame(
    constellation: Constellation, solution: Array, shape: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    """Return which points (K,) of a constellation lie in the frame.

    Args:
        constellation: of the pattern.
        solution: map to the camera, (3, 2).
        shape: (height, width) of the frame.
    """
    places = places_of(constellation, solution)
    return np.asarray(((places >= 0) & (places < shape)).all(axis=1))


def why_few(
    constellations: list[Constellation],
    index: int,
    spots: Spots,
    solution: Array,
    shape: tuple[int, ...],
) -> tuple[str, str, Sign]:
    """Return reason, remedy and sign where few spots of a pattern are where another frame puts them.

    Args:
        constellations: one for each frame.
        index: of the frame, and of the pattern that was written.
        spots: that were found in it.
        solution: map to the camera that another frame has, (3, 2).
        shape: (height, width) of the frame.
    """
    expected = places_of(constellations[index], solution)
    known = identify(constellations[index].points, spots, REACH_PX)
    if known is not None:
        here = places_of(constellations[index], known[0])
        moved_px = float(np.median(np.linalg.norm(here - expected, axis=1)))
        if moved_px > REACH_PX / 4.0:
            reason = f"pattern {index + 1} is {moved_px:.1f} camera pixels aside of another"
            return reason, MOVED, "pattern aside"
    seen = [_seen(each, solution, spots) for each in constellations]
    reason = f"{seen[index]} of {len(expected)} spots of pattern {index + 1} are seen"
    if max(seen) > LEAST_SCORE * len(expected) > seen[index]:
        return reason, STATIC, "pattern of another frame"
    inside = inside_frame(constellations[index], solution, shape).mean()
    if inside < LEAST_INSIDE:
        return reason, LAYOUT_REMEDY, "spots beyond the frame"
    return reason, LIGHT_REMEDY, "spots missing"


def why_off(errors: Array) -> tuple[str, Sign]:
    """Return remedy and sign where held-out spots are off by errors (S, 2): a move shifts all alike."""
    off_px = held_out_error(errors)[0]
    apart_px = held_out_error(errors - np.median(errors, axis=0))[0]
    moved = apart_px < off_px / 2.0
    return (MOVED, "pattern aside") if moved else (LIGHT_REMEDY, "spots astray")


def held_out_error(errors: Array) -> tuple[float, int]:
    """Return the rms of errors (S, 2), pixels, without strays, and the number of strays.

    Where tilts leave a part of the patch in the dark, the light beside it pulls a few spots aside by some
    pixels, on a bench that stands still; fits leave these out too (`fit_map`). When the camera or the
    mirror moves, most spots do.
    """
    distance = np.linalg.norm(errors, axis=1)
    near = distance <= OUTLIER * np.median(distance)
    return float(np.sqrt(np.mean(distance[near] ** 2))), int((~near).sum())


def _seen(constellation: Constellation, solution: Array, spots: Spots) -> int:
    """Return how many spots of a constellation are seen."""
    reach_px = reach_of(constellation.points, solution, REACH_PX)
    return int((assign(places_of(constellation, solution), spots, reach_px) >= 0).sum())
