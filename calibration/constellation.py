"""Which spot is which: points drawn so that no two views of them are alike, and matched."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt
import scipy

from calibration.spot_search import Spots
from calibration.spots import SpotPlane

Array = npt.NDArray[np.float64]
BEACONS = 4
BEACON_POWER = 4.0
INNERMOST = 9
"""Of so many spots nearest to the middle the beacons are chosen."""
BRIGHTEST = 13
"""Among so many of the brightest spots the beacons are looked for."""
LARGEST_SHEAR = 3.0
"""Ratio of an affine map's two stretches beyond which it is no camera's."""
REACH_SHARE = 0.25
"""Largest distance of a spot from its expected place, share of the distance between neighbouring spots."""
LEAST_SCORE, LARGEST_RIVAL = 0.5, 0.7
"""Score of a map that is believed, share of the points, and of another map, share of the best one's."""
CANDIDATES = 60


def draw_points(plane: SpotPlane, count: int, sets: int, seed: int) -> Array:
    """Return places (sets, count, 2) as far from each other as random ones can be; none is in two sets.

    Each next place is the one of many random candidates that lies furthest from all others (Mitchell
    1991).

    Args:
        plane: on which spots are made.
        count: number of points of a set.
        sets: number of sets.
        seed: of the candidates.
    """
    rng = np.random.default_rng(seed)
    low, high = plane.bounds
    places = [rng.uniform(low, high)]
    while len(places) < sets * count:
        candidates = rng.uniform(low, high, (CANDIDATES, 2))
        far = scipy.spatial.KDTree(np.array(places) / high).query(candidates / high)[0]
        places.append(candidates[far.argmax()])
    # Consecutive places are far apart: dealt out in turn, every set covers all of the plane.
    dealt = np.array(places).reshape(count, sets, 2).transpose(1, 0, 2)
    return np.stack([_beacons_first(points, (low + high) / 2.0) for points in dealt])


def _beacons_first(points: Array, middle: Array) -> Array:
    """Order points (K, 2): the first four lie near the middle, where light is, and far from a line."""
    inner = np.argsort(np.hypot(*(points - middle).T))[:INNERMOST]

    def leanest(four: list[int]) -> float:
        areas = [np.linalg.det(points[list(t[1:])] - points[t[0]]) for t in combinations(four, 3)]
        return float(np.abs(areas).min())

    choices = [[int(i) for i in chosen] for chosen in combinations(inner, BEACONS)]
    four = max(choices, key=leanest)
    rest = np.setdiff1d(np.arange(len(points)), four)
    return np.asarray(points[np.concatenate([four, rest])])


def beacon_powers(count: int) -> Array:
    """Return relative powers, (count,): the first few spots are brighter."""
    powers = np.ones(count)
    powers[:BEACONS] = BEACON_POWER
    return powers


def identify(
    points: Array, spots: Spots, reach_px: float
) -> tuple[Array, npt.NDArray[np.int_]] | None:
    """Find the affine map (3, 2) of points (K, 2), beacons first, and each point's spot (-1: none).

    Nothing is assumed of scale, rotation, mirroring or place: each three beacons are tried on each three
    of the brightest spots, and the map that explains most spots best wins. A point scores 1 where its spot
    is exactly where it is expected, and 0 from `reach_of` on. None if no map scores for half of the points,
    or if another map scores almost as much.

    Args:
        points: of the constellation, (K, 2), beacons first.
        spots: that were found, brightest first; half as many again as there are points are looked at.
        reach_px: largest distance of a spot from its expected place.
    """
    places = spots.places[: len(points) * 3 // 2]
    bright = min(BRIGHTEST, len(places))
    if bright < 3:
        return None
    tree = scipy.spatial.KDTree(places)
    design = np.column_stack([points, np.ones(len(points))])
    best: tuple[float, Array] | None = None
    second = 0.0
    for three in combinations(range(BEACONS), 3):
        tried = _camera_maps(design[list(three)], places[:bright])
        reaches = np.array([reach_of(points, each, reach_px) for each in tried])
        refined, scores = _refine(design, places, tree, tried, reaches)
        for solution, score in zip(refined, scores.tolist(), strict=True):
            if score <= second:
                continue  # neither the best one nor its closest rival
            if best is not None and _alike(design, solution, best[1], reach_px):
                best = max(best, (score, solution), key=lambda found: found[0])
            elif best is None or score > best[0]:
                second = best[0] if best else 0.0
                best = (score, solution)
            else:
                second = score
    if best is None or best[0] < max(LEAST_SCORE * len(points), 6.0):
        return None
    if second > LARGEST_RIVAL * best[0]:
        return None
    return best[1], assign(design @ best[1], spots, reach_px)


def reach_of(points: Array, solution: Array, most_px: float) -> float:
    """Return the distance within which a spot is taken for a point's, camera pixels.

    On a small patch spots are so dense that some spot is within a few pixels of any place: there a map
    that is wrong would explain almost as many points as the right one.

    Args:
        points: of the constellation, (K, 2).
        solution: affine map to the camera, (3, 2).
        most_px: largest distance, however far apart spots are.
    """
    area_px2 = float(np.prod(np.ptp(points, axis=0)) * abs(np.linalg.det(solution[:2])))
    return min(most_px, REACH_SHARE * float(np.sqrt(area_px2 / len(points))))


def assign(expected: Array, spots: Spots, reach_px: float) -> npt.NDArray[np.int_]:
    """Return the index (K,) of the one spot within reach of each expected place (K, 2); -1: none.

    Args:
        expected: places, (K, 2).
        spots: that were found.
        reach_px: largest distance of a spot from its expected place.
    """
    if not len(spots.places):
        return np.full(len(expected), -1)
    distance, index = scipy.spatial.KDTree(spots.places).query(expected)
    found = np.where(distance <= reach_px, index, -1)
    for spot in np.unique(found[found >= 0]):
        rivals = np.flatnonzero(found == spot)
        found[rivals[distance[rivals] > distance[rivals].min()]] = -1
    return np.asarray(found)


def _alike(design: Array, one: Array, other: Array, reach_px: float) -> bool:
    """Return whether two maps put most points at the same places: one is then only not yet refined."""
    apart = np.linalg.norm(design @ (one - other), axis=1)
    return bool(np.median(apart) < 3.0 * reach_px)


def _camera_maps(three: Array, places: Array) -> Array:
    """Return the maps (C, 3, 2) of three points (3, 3) to three of the places that a camera can have."""
    chosen = places[np.array(list(permutations(range(len(places)), 3)))]
    maps = np.linalg.inv(three) @ chosen
    stretches = np.linalg.svd(maps[:, :2], compute_uv=False)
    return np.asarray(maps[stretches[:, 0] <= LARGEST_SHEAR * stretches[:, 1]])


def _refine(
    design: Array, places: Array, tree: scipy.spatial.KDTree, maps: Array, reaches_px: Array
) -> tuple[Array, Array]:
    """Refine maps by least squares over the spots that each explains.

    Args:
        design: of the points, (K, 3).
        places: of the spots, (P, 2).
        tree: of the places.
        maps: (C, 3, 2).
        reaches_px: of each map, (C,).

    Returns:
        The maps that explain at least six spots, in their order, and their scores.
    """
    # In units of the constellation's own size the normal equations are well conditioned.
    centre, size = design.mean(0), np.append(np.ptp(design[:, :2], axis=0), 1.0)
    scaled = (design - np.append(centre[:2], 0.0)) / size
    for factor in (3.0, 1.0):
        distances, index = tree.query(design @ maps)
        near = distances <= factor * reaches_px[:, None]
        explains = near.sum(axis=1) >= 6
        near, index, reaches_px = near[explains], index[explains], reaches_px[explains]
        weighted = near[:, :, None] * scaled
        solved = np.linalg.pinv(weighted.mT @ scaled, rcond=1e-13, hermitian=True) @ (
            weighted.mT @ places[index]
        )
        maps = solved / size[:, None]
        maps[:, 2] -= centre[:2] @ maps[:, :2]
    distances, index = tree.query(design @ maps)
    nearest = np.full((len(maps), len(places)), np.inf)
    np.minimum.at(nearest, (np.arange(len(maps))[:, None], index), distances)
    return maps, np.maximum(1.0 - (nearest / reaches_px[:, None]) ** 2, 0.0).sum(axis=1)
