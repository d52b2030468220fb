"""Frames in the order in which they were measured, in one file, so that a crash costs no measurement.

A record is a line of JSON (the request and what is known of the frame) and the pixels as `numpy.save`
writes them. Records are only ever appended; one that a kill cut short is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drivers.types import CountArray


@dataclass(frozen=True, slots=True)
class Record:
    """A frame and the request that it answered.

    request: digest of all that the frame depends on. new: False if the camera handed it out before.
    of_its_pattern: the camera's frame named the displayed pattern; False if it named another or none.
    readings_s: of the bench's clock since the frame before; after_s: the clock once the frame was there.
    """

    request: str
    new: bool
    of_its_pattern: bool
    exposure_ms: float
    timestamp_s: float
    readings_s: tuple[float, ...]
    after_s: float
    saturated_fraction: float
    pixels: CountArray


class FrameLog:
    """An append-only file of records."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Record) -> None:
        """Write one record through to the system: a kill of this process loses none before it."""
        about = {
            "request": record.request,
            "new": record.new,
            "of_its_pattern": record.of_its_pattern,
            "exposure_ms": record.exposure_ms,
            "timestamp_s": record.timestamp_s,
            "readings_s": record.readings_s,
            "after_s": record.after_s,
            "saturated_fraction": record.saturated_fraction,
        }
        with self.path.open("ab") as file:
            file.write(json.dumps(about).encode() + b"\n")
            np.save(file, record.pixels, allow_pickle=False)

    def records(self) -> Iterator[Record]:
        """Yield all whole records in their order, and cut off what a kill left behind them."""
        if not self.path.exists():
            return
        whole = 0
        with self.path.open("rb") as file:
            while True:
                try:
                    about = json.loads(file.readline())
                    pixels = np.load(file, allow_pickle=False)
                except (ValueError, EOFError, OSError):
                    break
                whole = file.tell()
                yield Record(pixels=pixels, **about)
        if self.path.stat().st_size > whole:
            with self.path.open("r+b") as file:
                file.truncate(whole)

    def clear(self) -> None:
        """Delete all records."""
        self.path.unlink(missing_ok=True)
