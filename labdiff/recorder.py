"""Keep what a job said in one HDF5 file that is readable at every moment.

Layout (NeXus, NXentry):

    /entry                      attrs: NX_class, definition, start_time, program, versions, outcome, reason
    /entry/config               attrs: the bench file's text, the options as JSON, the seed
    /entry/events/<kind>        one growing column per number of an event, one row an event
    /entry/pictures             latest pictures of a training step, (height, width)
    /entry/generated            images of the last generation step, (B, H, W), and its t
    /entry/calibration/<name>   the latest result of each calibration, its verdict in the attrs
    /entry/figures              attrs: the named figures
    /entry/checkpoint           arrays and attrs that a resumed job needs

Rows are gathered and written in blocks. A block is added to a copy of the file in memory, whose bytes
are written beside the file and then take its place in one atomic step: a kill at any moment leaves the
last whole block, and another process may read while it grows. HDF5 itself never writes to the disk: a
disk that is full makes it end the interpreter, and then nobody would switch the laser off.
"""

from __future__ import annotations

import io
import platform
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from calibration.steps import CalibrationStep
from calibration.store import write_result
from labdiff.atomic import write_whole
from labdiff.errors import UserError
from labdiff.events import (
    AlignmentStep,
    Calibrated,
    Checkpoint,
    Event,
    GenerationStep,
    JobEnded,
    Measured,
    PeerStep,
    Pictures,
    StageStarted,
    TrainingStep,
)

BLOCK_SECONDS = 2.0
_VERSIONED = ("labdiff", "numpy", "torch", "h5py", "scipy")


class Recorder:
    """A callable on events, and a context manager; the file is whole at every moment.

    path: the run file. Raises UserError if it exists (unless `resume`) or cannot be written.
    """

    def __init__(
        self, path: Path, bench_text: str, options_json: str, seed: int, resume: bool = False
    ) -> None:
        self.path = path
        self._rows: dict[str, list[dict[str, float | str]]] = defaultdict(list)
        self._latest: dict[str, Any] = {}
        self._written_s = time.monotonic()
        if path.exists() and not resume:
            raise UserError(
                f"{path}: exists already and is not overwritten. Choose another --out, "
                f"remove it, or go on with it: labdiff train --resume {path}"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not resume:
                self._create(bench_text, options_json, seed)
        except OSError as error:
            raise UserError(
                f"{path}: cannot be written: {error.strerror or error}. "
                f"Choose a folder you may write to with --out, on a disk with free space."
            ) from None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()

    def __call__(self, event: Event) -> None:
        """Take one event; write a block when one is due."""
        self._take(event)
        ended = isinstance(event, JobEnded)
        due = time.monotonic() - self._written_s > BLOCK_SECONDS
        if ended or due or isinstance(event, Measured | StageStarted):
            self.flush()

    def flush(self) -> None:
        """Write what was gathered, atomically. Raises UserError if the disk does not take it."""
        if not self._rows and not self._latest:
            return
        try:
            image = io.BytesIO(self.path.read_bytes())
            with h5py.File(image, "r+") as file:
                self._write(file["entry"])
            write_whole(self.path, image.getbuffer())
        except OSError as error:
            # HDF5's own words are many lines on its inside, and have no strerror.
            why = error.strerror or "what it holds is damaged"
            raise UserError(
                f"{self.path}: cannot be written any more: {why}. Is the disk full, or was the file "
                "moved or damaged? Free space or put the file back, then go on: "
                f"labdiff train --resume {self.path}. What was written before is kept."
            ) from None
        self._rows.clear()
        self._latest.clear()
        self._written_s = time.monotonic()

    def _create(self, bench_text: str, options_json: str, seed: int) -> None:
        image = io.BytesIO()
        with h5py.File(image, "w") as file:
            file.attrs["default"] = "entry"
            entry = file.create_group("entry")
            entry.attrs["NX_class"] = "NXentry"
            entry.attrs["definition"] = "labdiff_run"
            entry.attrs["start_time"] = datetime.now(UTC).isoformat()
            entry.attrs["platform"] = platform.platform()
            entry.attrs["outcome"] = "running"
            for package in _VERSIONED:
                entry.attrs[f"version_{package}"] = _version(package)
            config = entry.create_group("config")
            config.attrs["NX_class"] = "NXparameters"
            config.attrs["bench"] = bench_text
            config.attrs["options"] = options_json
            config.attrs["seed"] = seed
            entry.create_group("events").attrs["NX_class"] = "NXcollection"
        write_whole(self.path, image.getbuffer())

    def _take(self, event: Event) -> None:
        match event:
            case TrainingStep():
                row = _numbers(event)
                row.update({f"alignment_{k}": v for k, v in event.alignment.items()})
                row.update({f"deviation_{k}": v for k, v in event.deviation.items()})
                self._rows["training"].append(row)
                if event.pictures is not None:
                    self._latest["pictures"] = event.pictures
            case PeerStep():
                self._rows["peers"].append(_numbers(event))
            case AlignmentStep():
                row = _numbers(event)
                row.update(event.alignment)
                self._rows["alignment"].append(row)
            case CalibrationStep():
                self._rows["calibration"].append(_numbers(event))
            case Calibrated():
                self._latest[f"calibration {event.routine}"] = event
            case GenerationStep():
                self._latest[f"generated {event.t}"] = event
            case Measured():
                self._latest.setdefault("figures", {}).update(event.figures)
            case Checkpoint():
                self._latest["checkpoint"] = event
            case JobEnded():
                self._latest["ended"] = event
            case StageStarted():
                self._rows["stages"].append(_numbers(event))

    def _write(self, entry: h5py.Group) -> None:
        for kind, rows in self._rows.items():
            _append(entry["events"].require_group(kind), rows)
        for what, value in self._latest.items():
            match value:
                case Pictures():
                    group = entry.require_group("pictures")
                    for item in fields(value):
                        _put(group, item.name, getattr(value, item.name))
                case Calibrated():
                    group = entry.require_group("calibration")
                    if value.routine in group:
                        del group[value.routine]
                    write_result(group.create_group(value.routine), value.result)
                case GenerationStep():
                    group = entry.require_group("generated")
                    _put(group, "images", value.images)
                    _put(group, f"t_{value.t:04d}", value.images[:16])
                    group.attrs["t"] = value.t
                case Checkpoint():
                    group = entry.require_group("checkpoint")
                    for name, array in value.arrays.items():
                        _put(group, name, array)
                    for name, scalar in value.scalars.items():
                        group.attrs[name] = scalar
                case JobEnded():
                    entry.attrs["outcome"] = value.outcome
                    entry.attrs["reason"] = value.reason
                    entry.attrs["end_time"] = datetime.now(UTC).isoformat()
                case dict():
                    group = entry.require_group(what)
                    for name, figure in value.items():
                        group.attrs[name] = figure


def _numbers(event: Event) -> dict[str, float | str]:
    """The plain fields of an event that fit a column."""
    row: dict[str, float | str] = {"time_s": time.time()}
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, int | float):
            row[item.name] = float(value)
        elif value is None and item.name not in ("picture", "pictures"):
            row[item.name] = float("nan")
        elif isinstance(value, str):
            row[item.name] = value
    return row


def _append(group: h5py.Group, rows: list[Mapping[str, float | str]] | list[Any]) -> None:
    """Append a block of rows; a column that is new is padded with nan for the earlier rows."""
    before = int(group.attrs.get("rows", 0))
    names = sorted(set(group) | {name for row in rows for name in row})
    for name in names:
        text = any(isinstance(row.get(name), str) for row in rows) or (
            name in group and h5py.check_string_dtype(group[name].dtype) is not None
        )
        if name not in group:
            dtype = h5py.string_dtype() if text else np.float64
            fill = "" if text else np.nan
            group.create_dataset(
                name, (before,), dtype, maxshape=(None,), chunks=(256,), fillvalue=fill
            )
        column = group[name]
        column.resize((before + len(rows),))
        column[before:] = [row.get(name, "" if text else np.nan) for row in rows]
    group.attrs["rows"] = before + len(rows)


def _put(group: h5py.Group, name: str, array: Any) -> None:
    """Write an array in place where shape and type allow, else anew."""
    value = np.asarray(array)
    if name in group and group[name].shape == value.shape and group[name].dtype == value.dtype:
        group[name][...] = value
        return
    if name in group:
        del group[name]
    group.create_dataset(name, data=value)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
