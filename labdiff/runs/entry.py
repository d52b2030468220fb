"""Write the entry of a run file: a new one, a block of events, the way back to the checkpoint.

Layout (NeXus, NXentry):

    /entry                      attrs: NX_class, definition, format, start_time, versions, outcome, reason
    /entry/config               attrs: the bench file's text, what of it is simulated, the options as JSON,
                                the seed
    /entry/events/<kind>        one growing column for each number of an event, one row an event
    /entry/pictures             latest pictures of a training step, (height, width)
    /entry/history              pictures along the run: `labdiff.runs.picture_history`
    /entry/generated            images of the last generation step, (B, H, W), and its t
    /entry/calibration/<name>   the latest result of each calibration routine, its verdict in the attrs
    /entry/figures              attrs: the named figures
    /entry/plot_<what>          what NeXus programs show at once: `labdiff.runs.default_plots`
    /entry/checkpoint           arrays and attrs that a resumed job needs, with its calibrations
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import h5py

from calibration.result_file import Result, write_result
from labdiff.config.simulated import simulated_in
from labdiff.events import Checkpoint
from labdiff.runs.block import Block
from labdiff.runs.default_plots import update_plots
from labdiff.runs.format import FORMAT
from labdiff.runs.hdf5_tables import (
    AT_CHECKPOINT,
    FIGURE,
    append_rows,
    cut_rows,
    drop_others,
    put_array,
    put_attributes,
    row_count,
)
from labdiff.runs.picture_history import HISTORY, cut_moments, write_moments
from labdiff.runs.reader import RUN_FORMAT

CALIBRATIONS = "calibration"
"""Name of the group of calibration results, of the entry and of a checkpoint."""
_VERSIONED = ("labdiff", "numpy", "torch", "h5py", "scipy")


def create_entry(
    file: h5py.File, bench_text: str, options_json: str, seed: int, calibrations: Path | None
) -> None:
    """Create the entry of a new run file.

    Args:
        file: an empty HDF5 file.
        bench_text: the bench file's text.
        options_json: the options of the job as JSON.
        seed: the seed of all random numbers of the job.
        calibrations: folder where the bench's calibrations are stored, None if they are not.
    """
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["definition"] = "labdiff_run"
    entry.attrs[FORMAT] = RUN_FORMAT
    entry.attrs["start_time"] = _now()
    entry.attrs["platform"] = platform.platform()
    entry.attrs["outcome"] = "running"
    for package in _VERSIONED:
        entry.attrs[f"version_{package}"] = _version(package)
    config = entry.create_group("config")
    config.attrs["NX_class"] = "NXparameters"
    config.attrs["bench"] = bench_text
    config.attrs["options"] = options_json
    config.attrs["seed"] = seed
    config.attrs["simulated"] = simulated_in(bench_text)
    if calibrations is not None:
        config.attrs["calibrations"] = str(calibrations.absolute())
    entry.create_group("events").attrs["NX_class"] = "NXcollection"


def write_block(entry: h5py.Group, block: Block, stored: Mapping[str, Result]) -> None:
    """Add a block of events to an entry.

    Args:
        entry: the run file's entry.
        block: the events since the last block.
        stored: the calibration results that the checkpoint holds already, by routine.
    """
    events = entry["events"]
    before = {kind: row_count(table) for kind, table in events.items()}
    for kind, rows in block.rows.items():
        append_rows(events.require_group(kind), rows)
    if block.moments:
        rows_before = before.get("training", 0)
        moments = [moment._replace(row=rows_before + moment.row) for moment in block.moments]
        write_moments(entry.require_group(HISTORY), moments)
        group = entry.require_group("pictures")
        latest = block.moments[-1].pictures
        for item in fields(latest):
            put_array(group, item.name, getattr(latest, item.name))
    for routine, calibrated in block.calibrated.items():
        _put_result(entry.require_group(CALIBRATIONS), routine, calibrated.result)
    for t, step in block.generated.items():
        group = entry.require_group("generated")
        put_array(group, "images", step.images)
        put_array(group, f"t_{t:04d}", step.images[:16])
        group.attrs["t"] = t
    if block.figures:
        entry.require_group("figures").attrs.update(block.figures)
    if block.checkpoint is not None:
        _write_checkpoint(entry.require_group("checkpoint"), block.checkpoint, stored)
        for kind, table in events.items():
            table.attrs[AT_CHECKPOINT] = before.get(kind, 0) + block.rows_at_checkpoint.get(kind, 0)
    update_plots(entry)
    if block.ended is not None:
        entry.attrs["outcome"] = block.ended.outcome
        entry.attrs["reason"] = block.ended.reason
        entry.attrs["end_time"] = _now()


def roll_back(entry: h5py.Group) -> str:
    """Cut off what was recorded after the checkpoint, which a resumed job records again.

    Returns the stage at the checkpoint, which the job announces again; "" if there was none.
    """
    if HISTORY in entry:
        cut_moments(entry[HISTORY], int(entry["events/training"].attrs.get(AT_CHECKPOINT, 0)))
    for table in entry["events"].values():
        cut_rows(table, int(table.attrs.get(AT_CHECKPOINT, 0)))
    update_plots(entry)
    scalars = entry["checkpoint"].attrs.items() if "checkpoint" in entry else ()
    figures = {k.removeprefix(FIGURE): v for k, v in scalars if k.startswith(FIGURE)}
    put_attributes(entry.require_group("figures"), figures)
    entry.attrs[FORMAT] = RUN_FORMAT  # of its next checkpoint
    entry.attrs["outcome"], entry.attrs["reason"] = "running", ""
    entry.attrs["resumed"] = int(entry.attrs.get("resumed", 0)) + 1
    stages = entry["events"].get("stages")
    return str(stages["stage"].asstr()[-1]) if stages is not None and row_count(stages) else ""


def _write_checkpoint(
    group: h5py.Group, checkpoint: Checkpoint, stored: Mapping[str, Result]
) -> None:
    drop_others(group, [*checkpoint.arrays, CALIBRATIONS])
    for name, array in checkpoint.arrays.items():
        put_array(group, name, array)
    put_attributes(group, checkpoint.scalars)
    calibrations = group.require_group(CALIBRATIONS)
    drop_others(calibrations, checkpoint.results)
    for name, result in checkpoint.results.items():
        if name not in calibrations or stored.get(name) is not result:
            _put_result(calibrations, name, result)


def _put_result(group: h5py.Group, routine: str, result: Result) -> None:
    if routine in group:
        del group[routine]
    write_result(group.create_group(routine), result)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
