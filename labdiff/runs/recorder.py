"""Keep what a job said in one HDF5 file that is readable at every moment.

Layout (NeXus, NXentry):

    /entry                      attrs: NX_class, definition, start_time, program, versions, outcome, reason
    /entry/config               attrs: the bench file's text, the options as JSON, the seed
    /entry/events/<kind>        one growing column per number of an event, one row an event
    /entry/pictures             latest pictures of a training step, (height, width)
    /entry/history              pictures along the run, as `labdiff.runs.picture_history`
    /entry/generated            images of the last generation step, (B, H, W), and its t
    /entry/calibration/<name>   the latest result of each calibration, its verdict in the attrs
    /entry/figures              attrs: the named figures
    /entry/checkpoint           arrays and attrs that a resumed job needs, the calibrations it works with

Rows are gathered and written in blocks. HDF5 adds a block to an overlay in memory; old file and changes
are written beside the file and then take its place in one atomic step: a kill at any moment leaves the
last whole block, and another process may read while it grows. HDF5 itself never writes to the disk: a
disk that is full makes it end the interpreter, and then nobody would switch the laser off.

A job that is resumed goes on from the checkpoint: what was written after it happens again, and is cut
off first.
"""

from __future__ import annotations

import io
import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py

from calibration.result_file import Result, write_result
from calibration.step import CalibrationStep
from labdiff.atomic_write import replace_whole, write_whole
from labdiff.errors import UserError
from labdiff.events import (
    AlignmentStep,
    Calibrated,
    Checkpoint,
    DenoiserStep,
    Event,
    GenerationStep,
    JobEnded,
    Measured,
    Pictures,
    StageStarted,
    TrainingStep,
)
from labdiff.runs.hdf5_overlay import Overlay
from labdiff.runs.hdf5_tables import (
    AT_CHECKPOINT,
    FIGURE,
    Row,
    append_rows,
    cut_rows,
    drop_others,
    put_array,
    put_attributes,
    row_count,
)
from labdiff.runs.picture_history import HISTORY, Moment, cut_moments, write_moments

BLOCK_SECONDS = 2.0
LARGEST_SHARE = 0.05
"""Of the time that writing may take: the larger the file has become, the longer the blocks."""
CALIBRATIONS = "calibration"
"""Group of a checkpoint."""
_VERSIONED = ("labdiff", "numpy", "torch", "h5py", "scipy")


class Recorder:
    """A callable on events, and a context manager; the file is whole at every moment.

    path: the run file. resume: it exists, and its job goes on from its checkpoint. calibrations: where
    the bench's are stored, for a job that goes on.
    Raises UserError if it exists (unless `resume`) or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        bench_text: str,
        options_json: str,
        seed: int,
        resume: bool = False,
        calibrations: Path | None = None,
    ) -> None:
        self.path = path
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._moments: list[Moment] = []
        self._at_checkpoint: dict[str, int] = {}
        self._latest: dict[str, Any] = {}
        self._written_s = time.monotonic()
        self._took_s = 0.0
        self._stage_entered_again = ""
        self._results: dict[str, Result] = {}
        if path.exists() and not resume:
            raise UserError(
                f"{path}: exists already and is not overwritten. Choose another --out, "
                f"remove it, or go on with it: labdiff train --resume {path}"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume:
                self._change(self._go_back)
            else:
                self._create(bench_text, options_json, seed, calibrations)
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
        if isinstance(event, JobEnded | Measured | StageStarted) or self._due():
            self.flush()

    def _due(self) -> bool:
        least_s = 0.0 if "checkpoint" in self._latest else BLOCK_SECONDS
        since_s = time.monotonic() - self._written_s
        return since_s > max(least_s, self._took_s / LARGEST_SHARE)

    def flush(self) -> None:
        """Write what was gathered, atomically. Raises UserError if the disk does not take it."""
        if not self._rows and not self._latest:
            return
        began_s = time.monotonic()
        try:
            self._change(self._write)
        except PermissionError:
            if os.name == "nt" and "ended" not in self._latest:
                # Somebody has the file open to read it: the block waits for the next one.
                self._written_s = time.monotonic()
                return
            raise
        except OSError as error:
            # HDF5's own words are many lines on its inside, and have no strerror.
            why = error.strerror or "what it holds is damaged"
            raise UserError(
                f"{self.path}: cannot be written any more: {why}. Is the disk full, or was the file "
                "moved or damaged? Free space or put the file back, then go on: "
                f"labdiff train --resume {self.path}. What was written before is kept."
            ) from None
        self._rows.clear()
        self._moments.clear()
        self._at_checkpoint.clear()
        self._latest.clear()
        self._written_s = time.monotonic()
        self._took_s = self._written_s - began_s

    def _change(self, change: Callable[[h5py.Group], None]) -> None:
        """Change the file in one step. Raises OSError."""
        with self.path.open("rb") as base:
            overlay = Overlay(base)
            with h5py.File(overlay, "r+") as file:
                change(file["entry"])
            replace_whole(self.path, overlay.save)

    def _create(
        self, bench_text: str, options_json: str, seed: int, calibrations: Path | None
    ) -> None:
        image = io.BytesIO()
        # Room that a replaced array leaves is used again, also by a later block.
        with h5py.File(image, "w", fs_strategy="fsm", fs_persist=True) as file:
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
            if calibrations is not None:
                config.attrs["calibrations"] = str(calibrations.absolute())
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
                    self._moments.append((len(self._rows["training"]) - 1, event))
            case DenoiserStep():
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
                self._at_checkpoint = {kind: len(rows) for kind, rows in self._rows.items()}
            case JobEnded():
                self._latest["ended"] = event
            case StageStarted():
                again, self._stage_entered_again = self._stage_entered_again, ""
                if event.stage != again:
                    self._rows["stages"].append(_numbers(event))

    def _write(self, entry: h5py.Group) -> None:
        events = entry["events"]
        before = {kind: row_count(table) for kind, table in events.items()}
        for kind, rows in self._rows.items():
            append_rows(events.require_group(kind), rows)
        if self._moments:
            rows_before = before.get("training", 0)
            moments = [(rows_before + row, step) for row, step in self._moments]
            write_moments(entry.require_group(HISTORY), moments)
        for what, value in self._latest.items():
            match value:
                case Pictures():
                    group = entry.require_group("pictures")
                    for item in fields(value):
                        put_array(group, item.name, getattr(value, item.name))
                case Calibrated():
                    group = entry.require_group("calibration")
                    if value.routine in group:
                        del group[value.routine]
                    write_result(group.create_group(value.routine), value.result)
                case GenerationStep():
                    group = entry.require_group("generated")
                    put_array(group, "images", value.images)
                    put_array(group, f"t_{value.t:04d}", value.images[:16])
                    group.attrs["t"] = value.t
                case Checkpoint():
                    self._write_checkpoint(entry.require_group("checkpoint"), value)
                    for kind, table in events.items():
                        rows_then = before.get(kind, 0) + self._at_checkpoint.get(kind, 0)
                        table.attrs[AT_CHECKPOINT] = rows_then
                case JobEnded():
                    entry.attrs["outcome"] = value.outcome
                    entry.attrs["reason"] = value.reason
                    entry.attrs["end_time"] = datetime.now(UTC).isoformat()
                case dict():
                    group = entry.require_group(what)
                    for name, figure in value.items():
                        group.attrs[name] = figure

    def _write_checkpoint(self, group: h5py.Group, checkpoint: Checkpoint) -> None:
        drop_others(group, [*checkpoint.arrays, CALIBRATIONS])
        for name, array in checkpoint.arrays.items():
            put_array(group, name, array)
        put_attributes(group, checkpoint.scalars)
        calibrations = group.require_group(CALIBRATIONS)
        drop_others(calibrations, checkpoint.results)
        for name, result in checkpoint.results.items():
            if name not in calibrations or self._results.get(name) is not result:
                if name in calibrations:
                    del calibrations[name]
                write_result(calibrations.create_group(name), result)
        self._results = checkpoint.results

    def _go_back(self, entry: h5py.Group) -> None:
        """To the checkpoint."""
        if HISTORY in entry:
            steps = entry["events/training"].attrs.get(AT_CHECKPOINT, 0)
            cut_moments(entry[HISTORY], int(steps))
        for table in entry["events"].values():
            cut_rows(table, int(table.attrs.get(AT_CHECKPOINT, 0)))
        stages = entry["events"].get("stages")
        if stages is not None and row_count(stages):
            # The stage at work then says once more that it starts.
            self._stage_entered_again = str(stages["stage"].asstr()[-1])
        kept = entry["checkpoint"].attrs.items() if "checkpoint" in entry else ()
        figures = {k.removeprefix(FIGURE): v for k, v in kept if k.startswith(FIGURE)}
        put_attributes(entry.require_group("figures"), figures)
        entry.attrs["outcome"], entry.attrs["reason"] = "running", ""
        entry.attrs["resumed"] = int(entry.attrs.get("resumed", 0)) + 1


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


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
