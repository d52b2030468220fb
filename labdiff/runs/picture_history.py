"""Pictures of a training along its run: a bounded number of moments, evenly spread over its steps.

Layout, inside the run file's entry:

    /entry/history                  attrs: stride, training steps of which one moment is kept
    /entry/history/<picture>        (moments, h, w) uint8, as the fields of `labdiff.events.Pictures`
    /entry/history/moments          one record a moment: which training step it is, what the bytes mean

Bytes 1 ... 255 are LOW ... HIGH of their own moment, 0 is no number. Pictures wider than LONGEST_SIDE are
shrunk by means over whole blocks. The first moment of each `stride` training steps stays, and the
newest one until the next comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from labdiff.events import Pictures, TrainingStep
from labdiff.runs.reader import run_entry

MOST_MOMENTS = 100
LONGEST_SIDE = 160
HISTORY, MOMENTS, STRIDE = "history", "moments", "stride"
NAMES = tuple(item.name for item in fields(Pictures))
_TOP = 255
_RECORD = np.dtype(
    [(name, np.int64) for name in ("row", "step", "total", "layer_set")]
    + [("method", "S16")]
    + [(f"{name}_{end}", np.float64) for name in NAMES for end in ("low", "high")]
)

Bytes: TypeAlias = npt.NDArray[np.uint8]
Coded: TypeAlias = tuple[Bytes, float, float]
Moment: TypeAlias = tuple[int, TrainingStep]
"""Its row in the table of training steps, and the step, which has pictures."""


@dataclass(frozen=True, slots=True)
class PictureHistory:
    """moments: one record a moment. pictures[name]: (moments, h, w), to be read by `picture`."""

    moments: npt.NDArray[Any]
    pictures: dict[str, Bytes]

    def __len__(self) -> int:
        """How many moments there are."""
        return len(self.moments)

    def picture(self, name: str, place: int) -> npt.NDArray[np.float32]:
        """(h, w) of a moment; what was no number is none again."""
        told = self.moments[place]
        low, high = float(told[f"{name}_low"]), float(told[f"{name}_high"])
        return decoded(self.pictures[name][place], low, high)

    def limits(self, name: str) -> tuple[float, float] | None:
        """Least and greatest value of a typical moment, the medians, lest one bright spot at some moment
        leave all others dark; None if there never was a number.
        """
        low, high = self.moments[f"{name}_low"], self.moments[f"{name}_high"]
        if not np.isfinite(low).any():
            return None
        return float(np.nanmedian(low)), float(np.nanmedian(high))


def read_history(path: Path) -> PictureHistory | None:
    """Of a run file; None if it holds none. Raises UserError as `labdiff.runs.reader.read_run`."""
    with run_entry(path) as entry:
        if HISTORY not in entry or MOMENTS not in entry[HISTORY]:
            return None
        group = entry[HISTORY]
        moments = group[MOMENTS][()]
        pictures = {name: np.asarray(group[name][()], np.uint8) for name in NAMES}
        like = all(p.ndim == 3 and len(p) == len(moments) for p in pictures.values())
        if moments.dtype != _RECORD or not like:
            raise ValueError("its history of pictures is not what labdiff records")
        return PictureHistory(moments, pictures)


def write_moments(group: h5py.Group, moments: Sequence[Moment]) -> None:
    """Take these in behind those that are there, and thin out if there are too many."""
    if MOMENTS in group and _shapes(group) != _shapes_of(moments[0][1]):
        cut_moments(group, 0)
    told = group[MOMENTS][()] if MOMENTS in group else np.empty(0, _RECORD)
    there = len(told)
    rows = [*told["row"].tolist(), *(row for row, _ in moments)]
    kept, stride = spread(rows, int(group.attrs.get(STRIDE, 1)))
    stays = sum(place == number < there for number, place in enumerate(kept))
    old = [place for place in kept[stays:] if place < there]
    new = [moments[place - there] for place in kept[stays:] if place >= there]

    coded = [_coded(step) for _, step in new]
    for name in NAMES:
        tail = [*group[name][old]] if old else []
        _put_tail(group, name, stays, np.stack([*tail, *(codes[name][0] for codes in coded)]))
    fresh = [_record(moment, codes) for moment, codes in zip(new, coded, strict=True)]
    _put_tail(
        group, MOMENTS, stays, np.concatenate([told[old], np.array(fresh, _RECORD)]), MOST_MOMENTS
    )
    group.attrs[STRIDE] = stride


def cut_moments(group: h5py.Group, rows: int) -> None:
    """Forget those that are not among so many first training steps."""
    if MOMENTS not in group:
        return
    kept = int(np.searchsorted(group[MOMENTS]["row"], rows))
    for name in (MOMENTS, *NAMES):
        if kept:
            group[name].resize(kept, axis=0)
        else:
            del group[name]  # the next ones may be of another shape


def spread(rows: Sequence[int], stride: int) -> tuple[list[int], int]:
    """Places of at most MOST_MOMENTS rows, the first of each `stride`, and the stride that it took.

    The last one is always among them. A stride only doubles, so that what is kept was kept before.
    """
    while True:
        kept = [0]
        for place, row in enumerate(rows):
            if row // stride > rows[kept[-1]] // stride:
                kept.append(place)
        if kept[-1] != len(rows) - 1:
            kept.append(len(rows) - 1)
        if len(kept) <= MOST_MOMENTS:
            return kept, stride
        stride *= 2


def encoded(picture: npt.NDArray[np.floating]) -> tuple[Bytes, float, float]:
    """Bytes, and what 1 and 255 mean; not-a-number twice if nothing in it is a finite number."""
    known = np.isfinite(picture)
    if not known.any():
        return np.zeros(picture.shape, np.uint8), np.nan, np.nan
    values = np.where(known, picture, 0.0).astype(np.float64)
    low, high = float(values[known].min()), float(values[known].max())
    steps = (values - low) * ((_TOP - 1) / (high - low) if high > low else 0.0)
    codes = np.where(known, 1.0 + np.round(steps), 0.0)
    return codes.astype(np.uint8), low, high


def decoded(codes: Bytes, low: float, high: float) -> npt.NDArray[np.float32]:
    """What `encoded` was given, to half a step."""
    values = low + (codes.astype(np.float64) - 1.0) * ((high - low) / (_TOP - 1))
    return np.where(codes > 0, values, np.nan).astype(np.float32)


def shrunk(picture: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Means over blocks, as many whole ones as fit, so that no side is longer than LONGEST_SIDE."""
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


def _shapes_of(step: TrainingStep) -> list[tuple[int, ...]]:
    return [shrunk(getattr(step.pictures, name)).shape for name in NAMES]


def _coded(step: TrainingStep) -> dict[str, Coded]:
    return {name: encoded(shrunk(getattr(step.pictures, name))) for name in NAMES}


def _record(moment: Moment, codes: dict[str, Coded]) -> tuple[int | float | bytes, ...]:
    row, step = moment
    ends = [end for name in NAMES for end in codes[name][1:]]
    return (row, step.step, step.total, step.layer_set, step.method.encode(), *ends)


def _put_tail(
    group: h5py.Group, name: str, stays: int, tail: npt.NDArray[Any], in_a_chunk: int = 1
) -> None:
    """Let these stand behind the first `stays`, and nothing behind them."""
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
    if len(data) != stays + len(tail):
        data.resize(stays + len(tail), axis=0)
    data[stays:] = tail
