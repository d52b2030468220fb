"""Pictures of a training along its run: a bounded number of moments, spread evenly over its steps.

Layout, inside the run file's entry:

    /entry/history                  attrs: stride, number of training steps for each stored moment
    /entry/history/<picture>        (moments, h, w) uint8, as the fields of `labdiff.events.Pictures`
    /entry/history/moments          one record a moment: its training step, the values of bytes 1 and 255

Bytes 1 ... 255 are the least ... greatest value of a picture, 0 is not a number. Pictures wider than
LONGEST_SIDE are reduced by means over whole blocks. The first moment of each `stride` training steps is
stored, and the newest one until the next arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from calibration.hdf5_reading import StrangeFileError, names, read_array, read_group
from labdiff.events import Pictures, TrainingStep
from labdiff.runs.reader import run_entry
from labdiff.runs.recorded_parts import PICTURE_NAMES

MOST_MOMENTS = 100
"""Number of moments at which the history is thinned out."""
LONGEST_SIDE = 160
"""Largest width or height of a stored picture, pixels."""
HISTORY, MOMENTS, STRIDE = "history", "moments", "stride"
NAMES = PICTURE_NAMES
"""Names of the pictures, and of their datasets."""
_TOP = 255
_RECORD = np.dtype(
    [(name, np.int64) for name in ("row", "step", "total", "layer_set")]
    + [("method", "S16")]
    + [(f"{name}_{end}", np.float64) for name in NAMES for end in ("low", "high")]
)

Bytes: TypeAlias = npt.NDArray[np.uint8]
Encoded: TypeAlias = tuple[Bytes, float, float]
"""A picture as bytes, and the values of bytes 1 and 255."""


class Moment(NamedTuple):
    """A training step with pictures; row: its place in the table of training steps."""

    row: int
    step: TrainingStep
    pictures: Pictures


@dataclass(frozen=True, slots=True)
class PictureHistory:
    """The stored pictures of a run.

    moments: one record a moment. pictures[name]: bytes (moments, h, w), which `picture` decodes.
    """

    moments: npt.NDArray[Any]
    pictures: dict[str, Bytes]

    def __len__(self) -> int:
        """Return the number of moments."""
        return len(self.moments)

    def picture(self, name: str, place: int) -> npt.NDArray[np.float32]:
        """Return a moment's picture of that name, (h, w); NaN where it was not a finite number."""
        record = self.moments[place]
        low, high = float(record[f"{name}_low"]), float(record[f"{name}_high"])
        return decode(self.pictures[name][place], low, high)

    def limits(self, name: str) -> tuple[float, float] | None:
        """Return the medians, over all moments, of least and greatest value; None if there is no number.

        The extremes over all moments would let one bright spot at one moment leave all others dark.
        """
        low, high = self.moments[f"{name}_low"], self.moments[f"{name}_high"]
        if not np.isfinite(low).any():
            return None
        return float(np.nanmedian(low)), float(np.nanmedian(high))


def read_history(path: Path) -> PictureHistory | None:
    """Read the pictures of a run file; return None if it holds none.

    Raises UserError like `labdiff.runs.reader.read_run`.
    """
    with run_entry(path) as entry:
        if HISTORY not in names(entry):
            return None
        group = read_group(entry, HISTORY)
        if MOMENTS not in names(group):
            return None
        moments = read_array(group, MOMENTS, kinds="V", dimensions=1)
        pictures = {name: read_array(group, name, "u", 3) for name in NAMES}
        like = all(p.dtype == np.uint8 and len(p) == len(moments) for p in pictures.values())
        if moments.dtype != _RECORD or not like:
            raise StrangeFileError("its history of pictures is not what labdiff records")
        return PictureHistory(moments, pictures)


def write_moments(group: h5py.Group, moments: Sequence[Moment]) -> None:
    """Append moments to those stored, and thin out if there are more than MOST_MOMENTS."""
    if MOMENTS in group and _shapes(group) != _shapes_of(moments[0].pictures):
        cut_moments(group, 0)
    stored = group[MOMENTS][()] if MOMENTS in group else np.empty(0, _RECORD)
    count = len(stored)
    rows = [*stored["row"].tolist(), *(moment.row for moment in moments)]
    chosen, stride = spread(rows, int(group.attrs.get(STRIDE, 1)))
    # The first moments that stay in their places are not written again.
    unchanged = sum(place == number < count for number, place in enumerate(chosen))
    old = [place for place in chosen[unchanged:] if place < count]
    new = [moments[place - count] for place in chosen[unchanged:] if place >= count]

    pictures = [_encode_all(moment.pictures) for moment in new]
    for name in NAMES:
        tail = [*group[name][old]] if old else []
        tail += [of_moment[name][0] for of_moment in pictures]
        _put_tail(group, name, unchanged, np.stack(tail))
    records = [_record(moment, encoded) for moment, encoded in zip(new, pictures, strict=True)]
    table = np.concatenate([stored[old], np.array(records, _RECORD)])
    _put_tail(group, MOMENTS, unchanged, table, MOST_MOMENTS)
    group.attrs[STRIDE] = stride


def cut_moments(group: h5py.Group, rows: int) -> None:
    """Delete the moments that are not among the first `rows` training steps."""
    if MOMENTS not in group:
        return
    remaining = int(np.searchsorted(group[MOMENTS]["row"], rows))
    for name in (MOMENTS, *NAMES):
        if remaining:
            group[name].resize(remaining, axis=0)
        else:
            del group[name]  # the next ones may be of another shape


def spread(rows: Sequence[int], stride: int) -> tuple[list[int], int]:
    """Choose at most MOST_MOMENTS rows, the first of each `stride`; return their places and the stride.

    The last row is always among them. The stride grows by doubling alone, so that every row chosen with
    the new stride was chosen with the old one too.
    """
    while True:
        chosen = [0]
        for place, row in enumerate(rows):
            if row // stride > rows[chosen[-1]] // stride:
                chosen.append(place)
        if chosen[-1] != len(rows) - 1:
            chosen.append(len(rows) - 1)
        if len(chosen) <= MOST_MOMENTS:
            return chosen, stride
        stride *= 2


def encode(picture: npt.NDArray[np.floating]) -> Encoded:
    """Encode a picture in bytes; the values of bytes 1 and 255 are NaN if no pixel is finite."""
    known = np.isfinite(picture)
    if not known.any():
        return np.zeros(picture.shape, np.uint8), np.nan, np.nan
    values = np.where(known, picture, 0.0).astype(np.float64)
    low, high = float(values[known].min()), float(values[known].max())
    steps = (values - low) * ((_TOP - 1) / (high - low) if high > low else 0.0)
    codes = np.where(known, 1.0 + np.round(steps), 0.0)
    return codes.astype(np.uint8), low, high


def decode(codes: Bytes, low: float, high: float) -> npt.NDArray[np.float32]:
    """Decode what `encode` returned: the picture, exact to half a step of a byte.

    Args:
        codes: the picture's bytes, (h, w).
        low: value of byte 1.
        high: value of byte 255.
    """
    values = low + (codes.astype(np.float64) - 1.0) * ((high - low) / (_TOP - 1))
    return np.where(codes > 0, values, np.nan).astype(np.float32)


def shrink(picture: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Reduce a picture by means over whole blocks until no side is longer than LONGEST_SIDE."""
    block = -(-max(picture.shape) // LONGEST_SIDE)
    if block <= 1:
        return picture
    height, width = (max(side // block, 1) for side in picture.shape)
    whole = picture[: height * block, : width * block]
    down, across = (
        -(-side // count) for side, count in zip(whole.shape, (height, width), strict=True)
    )
    means: npt.NDArray[np.floating] = whole.reshape(height, down, width, across).mean((1, 3))
    return means


def _shapes(group: h5py.Group) -> list[tuple[int, ...]]:
    return [group[name].shape[1:] for name in NAMES]


def _shapes_of(pictures: Pictures) -> list[tuple[int, ...]]:
    return [shrink(picture).shape for picture in _by_name(pictures).values()]


def _encode_all(pictures: Pictures) -> dict[str, Encoded]:
    return {name: encode(shrink(picture)) for name, picture in _by_name(pictures).items()}


def _by_name(pictures: Pictures) -> dict[str, npt.NDArray[np.float32]]:
    return {name: getattr(pictures, name) for name in NAMES}


def _record(moment: Moment, encoded: dict[str, Encoded]) -> tuple[int | float | bytes, ...]:
    limits = [limit for name in NAMES for limit in encoded[name][1:]]
    step = moment.step
    return (moment.row, step.step, step.total, step.layer_set, step.method.encode(), *limits)


def _put_tail(
    group: h5py.Group, name: str, unchanged: int, tail: npt.NDArray[Any], in_a_chunk: int = 1
) -> None:
    """Replace a dataset's rows after the first `unchanged` ones by `tail`."""
    one = tail.shape[1:]
    if name not in group:
        group.create_dataset(
            name,
            data=tail,
            maxshape=(None, *one),
            chunks=(in_a_chunk, *one),
            compression="gzip",
        )
        return
    data = group[name]
    if len(data) != unchanged + len(tail):
        data.resize(unchanged + len(tail), axis=0)
    data[unchanged:] = tail
