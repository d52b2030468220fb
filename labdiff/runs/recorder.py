"""Record a job's events in one HDF5 file that is readable at every moment.

Events are gathered and written in blocks. HDF5 adds a block to an overlay in memory; old file and changes
are written beside the file and then take its place in one atomic step: a kill at any moment leaves the
last whole block, and another process may read while the file grows. HDF5 itself never writes to the disk:
a full disk makes it end the interpreter, and then nobody would switch the laser off.

A job that is resumed continues from the checkpoint: what was written after it is cut off first, since it
happens again. One program at a time records in a file: it owns it until its job ends.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import h5py

from calibration.hdf5_reading import open_hdf5, refuse_links
from calibration.result_file import Result
from labdiff.atomic_write import remove_old_parts, replace_atomically, write_atomically
from labdiff.errors import UserError, reading
from labdiff.events import Event, JobEnded, Measured, StageStarted
from labdiff.owner import Owner
from labdiff.runs.block import Block
from labdiff.runs.entry import create_entry, roll_back, write_block
from labdiff.runs.hdf5_overlay import Overlay

BLOCK_SECONDS = 2.0
"""Least time from one block to the next."""
LARGEST_SHARE = 0.05
"""Largest share of the time that writing may take: the larger the file, the rarer the blocks."""


def own_run(path: Path) -> Owner:
    """Own a run file, whose folder is made. Raises UserError if another program records in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Owner(path, str(path))


class Recorder:
    """A callable that records events in a run file, and a context manager that writes the last block.

    Example:
        with Recorder(Path("run.h5"), bench_text, options.model_dump_json(), seed=0) as recorder:
            run(job, record=[recorder])

    Args:
        path: the run file.
        bench_text: the bench file's text.
        options_json: the job's options as JSON.
        seed: the seed of all random numbers of the job.
        resume: the file exists, and its job continues from its checkpoint.
        calibrations: folder where the bench's calibrations are stored.
        owner: of the file, if it is owned already; it is released with the job's end.

    Raises:
        UserError: the file exists (unless `resume`), another program records in it, or it cannot be
            written.
    """

    def __init__(
        self,
        path: Path,
        bench_text: str,
        options_json: str,
        seed: int,
        resume: bool = False,
        calibrations: Path | None = None,
        owner: Owner | None = None,
    ) -> None:
        self.path = path
        self._block = Block()
        self._written_s = time.monotonic()
        self._write_time_s = 0.0
        self._resumed_stage = ""
        self._checkpoint_results: dict[str, Result] = {}
        if not resume:
            self._refuse_existing()
        try:
            self._owner = owner or own_run(path)
            try:
                self._begin(bench_text, options_json, seed, calibrations, resume)
            except BaseException:
                self._owner.release()
                raise
        except OSError as error:
            raise UserError(
                f"{path}: cannot be written: {error.strerror or error}. "
                f"Choose a folder you may write to with --out, on a disk with free space."
            ) from None

    def _begin(
        self,
        bench_text: str,
        options_json: str,
        seed: int,
        calibrations: Path | None,
        resume: bool,
    ) -> None:
        if resume:
            self._check_links()
            remove_old_parts(self.path)
            self._change(self._roll_back)
        else:
            self._refuse_existing()  # one that was just made by another program
            self._create(bench_text, options_json, seed, calibrations)

    def _refuse_existing(self) -> None:
        if self.path.exists():
            raise UserError(
                f"{self.path}: exists already and is not overwritten. Choose another --out, "
                f"remove it, or resume it: labdiff train --resume {self.path}"
            )

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Record one event; write a block when one is due. The job's end closes the file."""
        if not self._recorded_before(event):
            self._block.add(event)
        if isinstance(event, JobEnded):
            self.close()
        elif isinstance(event, Measured | StageStarted) or self._due():
            self.flush()

    def close(self) -> None:
        """Write the last block, and let other programs record in the file."""
        try:
            self.flush()
        finally:
            self._owner.release()

    def _recorded_before(self, event: Event) -> bool:
        """Return whether this is the stage of the checkpoint, which a resumed job enters again."""
        if not isinstance(event, StageStarted):
            return False
        resumed_stage, self._resumed_stage = self._resumed_stage, ""
        return event.stage == resumed_stage

    def _due(self) -> bool:
        least_s = BLOCK_SECONDS if self._block.checkpoint is None else 0.0
        since_s = time.monotonic() - self._written_s
        return since_s > max(least_s, self._write_time_s / LARGEST_SHARE)

    def flush(self) -> None:
        """Write the gathered events atomically. Raises UserError if the disk does not take them."""
        block = self._block
        if block.empty:
            return
        began_s = time.monotonic()
        try:
            self._change(lambda entry: write_block(entry, block, self._checkpoint_results))
        except PermissionError:
            if os.name == "nt" and block.ended is None:
                # Another program has the file open to read it: the block is written with the next one.
                self._written_s = time.monotonic()
                return
            raise
        except OSError as error:
            # HDF5's own message is many lines about its inside, and has no strerror.
            why = error.strerror or "what it holds is damaged"
            raise UserError(
                f"{self.path}: cannot be written any more: {why}. Is the disk full, or was the file "
                "moved or damaged? Free space or put the file back, then resume: "
                f"labdiff train --resume {self.path}. What was written before is in the file."
            ) from None
        if block.checkpoint is not None:
            self._checkpoint_results = block.checkpoint.results
        self._block = Block()
        self._written_s = time.monotonic()
        self._write_time_s = self._written_s - began_s

    def _change(self, change: Callable[[h5py.Group], None]) -> None:
        """Change the file in one step. Raises OSError."""
        with self.path.open("rb") as base:
            overlay = Overlay(base)
            with h5py.File(overlay, "r+") as file:
                change(file["entry"])
            replace_atomically(self.path, overlay.save)

    def _create(
        self, bench_text: str, options_json: str, seed: int, calibrations: Path | None
    ) -> None:
        image = io.BytesIO()
        # The room that a replaced array leaves is used again, also by a later block.
        with h5py.File(image, "w", fs_strategy="fsm", fs_persist=True) as file:
            create_entry(file, bench_text, options_json, seed, calibrations)
        write_atomically(self.path, image.getbuffer())

    def _check_links(self) -> None:
        """Refuse a file that holds links to others: what is cut off here would be cut off there."""
        with (
            reading(self.path, "a run file (.h5) that labdiff recorded"),
            open_hdf5(self.path) as file,
        ):
            refuse_links(file)

    def _roll_back(self, entry: h5py.Group) -> None:
        self._resumed_stage = roll_back(entry)
