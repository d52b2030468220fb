"""What a hologram is to show: a picture in a region of the output plane, or spots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.spatial import cKDTree

from drivers.types import Roi
from labdiff.data.readers.picture import SUFFIXES
from labdiff.errors import UserError, reading

Plane = npt.NDArray[np.float32]
SPOT_RADIUS_PX = 1.5
"""Radius around a spot within which its light is summed, plane pixels; spots are twice as far apart."""
MARGIN = 1 / 8
"""Share of the plane's height and width that the region leaves free on each side, if none is given."""
MOST_PIXELS = 1 << 26
"""Number of pixels beyond which a picture is not read."""
MOST_SPOTS = 10_000
"""Number of spots beyond which they are refused."""


@dataclass(frozen=True, slots=True)
class HologramTarget:
    """A wanted intensity on the output plane.

    Attributes:
        name: What it is, for reports.
        image: (h, w) of the plane, 0 ... 1, dark outside the region. Of spots: a drawing of them.
        region: Window of the plane, in its pixels, in which the light is to be.
        spots: (K, 3) of x, y in plane pixels and weight; None for a picture.
    """

    name: str
    image: Plane
    region: Roi
    spots: npt.NDArray[np.float64] | None = None

    @property
    def wanted(self) -> npt.NDArray[np.floating]:
        """The image within the region."""
        return within(self.region, self.image)


@dataclass(frozen=True, slots=True)
class HologramSpots:
    """Spots as what is wanted.

    Attributes:
        what: How many, as 100 or "8x12" (rows x columns), for a grid that fills the region; or an array
            (K, 2) of x, y in plane pixels, (K, 3) with weights; or a text file of them.

    Example:
        >>> labdiff.hologram("mock-small", labdiff.HologramSpots([[20, 20], [40, 30]]))
    """

    what: int | str | Path | Sequence[Sequence[float]] | npt.NDArray[np.floating]


Wanted: TypeAlias = str | Path | npt.NDArray[np.floating] | npt.NDArray[np.integer] | HologramSpots
"""What a hologram is asked for: an image file, an array (H, W) of intensities, or spots."""


def target_of(wanted: Wanted, shape: tuple[int, int], region: Roi) -> HologramTarget:
    """Return the target of what was asked for.

    Args:
        wanted: An image file, an array of intensities, or spots.
        shape: (height, width) of the output plane.
        region: Where it is to be.

    Raises:
        UserError: If it is none of them, or does not fit.
    """
    if isinstance(wanted, HologramSpots):
        what = wanted.what
        if isinstance(what, (int, str)):
            return spot_grid(str(what), shape, region)
        if isinstance(what, Path):
            return spot_file(what, shape, region)
        return spot_list(np.array(what, np.float64), shape, region)
    if isinstance(wanted, (str, Path)):
        return picture_file(Path(wanted), shape, region)
    return picture(wanted, shape, region)


def within(region: Roi, plane: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the part of a plane (..., h, w) that lies in a region."""
    rows = slice(region.top, region.top + region.height)
    return plane[..., rows, region.left : region.left + region.width]


def region_of(given: Sequence[int] | None, shape: tuple[int, int]) -> Roi:
    """Return a region of the output plane.

    Args:
        given: (top, left, height, width) in plane pixels; None for the middle three quarters.
        shape: (height, width) of the plane.

    Raises:
        UserError: If it is empty, or reaches beyond the plane.
    """
    height, width = shape
    if given is None:
        top, left = round(height * MARGIN), round(width * MARGIN)
        return Roi(top, left, height - 2 * top, width - 2 * left)
    if len(given) != 4:
        raise UserError(f"region: {len(given)} numbers; needs top, left, height, width")
    region = Roi(*(int(edge) for edge in given))
    inside = region.top >= 0 and region.left >= 0 and region.height > 0 and region.width > 0
    inside = inside and region.top + region.height <= height
    if not (inside and region.left + region.width <= width):
        raise UserError(
            f"region {region.top} {region.left} {region.height} {region.width} (top left height "
            f"width): lies beyond the output plane, which has {height} x {width} pixels"
        )
    return region


def picture_file(path: Path, shape: tuple[int, int], region: Roi) -> HologramTarget:
    """Return the target of an image file, resized into a region; its height and width keep their ratio.

    Args:
        path: .npy of intensities from 0 on, or a picture, whose grey is the intensity.
        shape: (height, width) of the output plane.
        region: Where it is to be.

    Raises:
        UserError: If there is no such file, it holds no image, or the image is black.
    """
    kind = path.suffix.lower()
    if path.is_file() and kind not in (".npy", *SUFFIXES):
        raise UserError(f"{path}: is no image; allowed are .npy and {', '.join(SUFFIXES)}")
    with reading(path, "an image"):
        grey = _from_npy(path) if kind == ".npy" else _from_picture(path)
    return picture(grey, shape, region, str(path))


def picture(
    grey: npt.NDArray[np.floating] | npt.NDArray[np.integer],
    shape: tuple[int, int],
    region: Roi,
    name: str = "array",
) -> HologramTarget:
    """Return the target of an array of intensities, resized into a region, its sides in their ratio.

    Args:
        grey: (H, W), intensities from 0 on; the largest becomes 1.
        shape: (height, width) of the output plane.
        region: Where it is to be.
        name: What it is, for messages.

    Raises:
        UserError: If it is no image of numbers from 0 on, or black.
    """
    values = np.asarray(grey, np.float32)
    if values.ndim != 2 or not values.size:
        raise UserError(f"{name}: an array of shape {values.shape}; an image has (height, width)")
    if not np.isfinite(values).all() or values.min() < 0.0:
        raise UserError(f"{name}: holds values that are no intensities; allowed are numbers from 0")
    if not values.max() > 0.0:
        raise UserError(f"{name}: is black; a hologram needs some light in its image")
    fits = min(region.height / values.shape[0], region.width / values.shape[1])
    height = max(1, min(region.height, round(values.shape[0] * fits)))
    width = max(1, min(region.width, round(values.shape[1] * fits)))
    # A box of pixels is averaged where the image is made smaller: its light stays.
    resized = Image.fromarray(values / values.max()).resize((width, height), Image.Resampling.BOX)
    small = np.asarray(resized, np.float32)
    if not small.max() > 0.0:
        raise UserError(f"{name}: is black at {height} x {width} pixels; choose a larger region")
    plane = np.zeros(shape, np.float32)
    top = region.top + (region.height - height) // 2
    left = region.left + (region.width - width) // 2
    plane[top : top + height, left : left + width] = small / small.max()
    return HologramTarget(name, plane, region)


def spot_grid(count: str, shape: tuple[int, int], region: Roi) -> HologramTarget:
    """Return a grid of equal spots that fills a region.

    Args:
        count: "100" for the most nearly square grid of so many spots, or "8x12" for rows x columns.
        shape: (height, width) of the output plane.
        region: Where the grid is to be.

    Raises:
        UserError: If it is no such number, or the spots would be too close.
    """
    rows, columns = _grid(count)
    y = region.top + (np.arange(rows) + 0.5) * region.height / rows - 0.5
    x = region.left + (np.arange(columns) + 0.5) * region.width / columns - 0.5
    places = [(column, row, 1.0) for row in np.rint(y) for column in np.rint(x)]
    return spot_list(np.array(places), shape, region, f"{rows} x {columns} spots")


def spot_file(path: Path, shape: tuple[int, int], region: Roi) -> HologramTarget:
    """Return the spots of a text file, one a line: x y [weight], in plane pixels; # begins a comment.

    Args:
        path: The file; numbers are separated by blanks or commas.
        shape: (height, width) of the output plane.
        region: In which all spots lie.

    Raises:
        UserError: If there is no such file, or a line is no spot.
    """
    with reading(path, "lines of x y [weight]"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    spots: list[tuple[float, float, float]] = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) not in (2, 3):
            raise UserError(f"{path}, line {number}: {line.strip()!r}; needs x y [weight]")
        spots.append((values[0], values[1], values[2] if len(values) == 3 else 1.0))
    return spot_list(np.array(spots).reshape(-1, 3), shape, region, str(path))


def spot_list(
    spots: npt.NDArray[np.floating],
    shape: tuple[int, int],
    region: Roi,
    name: str = "spots",
) -> HologramTarget:
    """Return spots as a target.

    Args:
        spots: (K, 2) of x, y in plane pixels, or (K, 3) with weights.
        shape: (height, width) of the output plane.
        region: In which all spots lie.
        name: What they are, for messages.

    Raises:
        UserError: If there are none, one lies outside of the region or has no weight, or two are closer
            than three pixels.
    """
    given = np.asarray(spots, np.float64)
    if given.ndim != 2 or given.shape[1] not in (2, 3):
        raise UserError(f"{name}: an array of shape {given.shape}; spots are (K, 2) or (K, 3)")
    if not 1 <= len(given) <= MOST_SPOTS:
        raise UserError(f"{name}: {len(given)} spots; allowed are 1 ... {MOST_SPOTS}")
    if given.shape[1] == 2:
        given = np.column_stack([given, np.ones(len(given))])
    bottom, right = region.top + region.height - 1, region.left + region.width - 1
    for x, y, weight in given:
        if not (region.left <= x <= right and region.top <= y <= bottom):
            raise UserError(
                f"{name}: the spot x = {x:g}, y = {y:g} lies outside of the region, x {region.left} "
                f"... {right}, y {region.top} ... {bottom}"
            )
        if not (math.isfinite(weight) and weight > 0.0):
            raise UserError(f"{name}: the spot x = {x:g}, y = {y:g} has the weight {weight:g}")
    closest = _closest_px(given[:, :2])
    if closest < 2.0 * SPOT_RADIUS_PX:
        raise UserError(
            f"{name}: two of {len(given)} spots are {closest:.2g} pixels apart; at least "
            f"{2.0 * SPOT_RADIUS_PX:g} are needed. Take fewer, or a larger region"
        )
    image = (spot_masks(given, shape) * given[:, 2, None, None]).sum(0)
    return HologramTarget(name, (image / image.max()).astype(np.float32), region, given)


def spot_masks(spots: npt.NDArray[np.float64], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return which pixels count as which spot's, (K, h, w) of 0 and 1.

    Args:
        spots: (K, 3) of x, y, weight.
        shape: (height, width) of the output plane.
    """
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    squared = (columns - spots[:, 0, None, None]) ** 2 + (rows - spots[:, 1, None, None]) ** 2
    return (squared <= SPOT_RADIUS_PX**2).astype(np.float32)


def _grid(count: str) -> tuple[int, int]:
    rows, by, columns = count.lower().partition("x")
    words = (rows, columns) if by else (rows,)
    if not all(word.strip().isdecimal() and 0 < int(word) <= MOST_SPOTS for word in words):
        raise UserError(f"spots {count!r}: allowed are a number of spots, as 100, or 8x12")
    if by:
        return int(rows), int(columns)
    number = int(rows)
    least = next(n for n in range(math.isqrt(number), 0, -1) if number % n == 0)
    return least, number // least


def _closest_px(places: npt.NDArray[np.float64]) -> float:
    if len(places) < 2:
        return math.inf
    return float(cKDTree(places).query(places, k=2)[0][:, 1].min())


def _from_npy(path: Path) -> npt.NDArray[np.floating]:
    # Mapped: the shape of a file of any size is known before its pixels are read.
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim != 2:
        raise UserError(f"{path}: needs one array (height, width) of intensities")
    if array.size > MOST_PIXELS:
        raise UserError(f"{path}: {array.shape}; more than {MOST_PIXELS:,} pixels are not read")
    return np.array(array, np.float32)


def _from_picture(path: Path) -> npt.NDArray[np.floating]:
    with Image.open(path) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise UserError(f"{path}: {width} x {height}; more than {MOST_PIXELS:,} are not read")
        if image.mode.startswith(("I", "F")):  # 16 bits and floats: as they are
            return np.array(image, np.float32)
        return np.array(image.convert("L"), np.float32)
