"""The sweep as a job: trials run on workers, their events are recorded, and the table grows."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from labdiff.errors import UserError
from labdiff.events import (
    Checkpoint,
    EvaluationStep,
    Event,
    JobEnded,
    JobStarted,
    StageStarted,
    TrainingStep,
)
from labdiff.job import Job
from labdiff.owner import Owner
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder
from labdiff.sweep.sweep_file import Sweep, Trial
from labdiff.sweep.table import Outcome, write_table
from labdiff.sweep.trial import TrialTask, run_trial
from labdiff.workers.task import Failed, Task, Workers, run_tasks

TABLE = "table.csv"
"""File name of the table in the sweep's folder."""


class SweepDriver:
    """Runs the trials that are not completed; those that were interrupted resume from their checkpoints.

    outcomes: of all trials, in their order.

    Args:
        sweep: the trials.
        out: folder of their run files and of the table.
        workers: run the trials.
        data_dir: folder of downloaded data sets; None: the user's cache.

    Raises:
        UserError: the folder cannot be written, another sweep runs in it, or it holds files that are no
            run files.
    """

    def __init__(
        self, sweep: Sweep, out: Path, workers: Workers, data_dir: Path | None = None
    ) -> None:
        self.outcomes = [Outcome(trial) for trial in sweep.trials]
        self._sweep, self._out, self._workers, self._data_dir = sweep, out, workers, data_dir
        self._recorders: dict[int, Recorder] = {}
        self._starts: dict[int, Checkpoint] = {}
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{out}: cannot be written: {error.strerror or error}") from None
        self._owner = Owner(out / "sweep", f"the sweep in {out}")
        try:
            for outcome in self.outcomes:
                self._read_outcome(outcome)
            self._write_table()
        except BaseException:
            self._owner.release()
            raise

    @property
    def table(self) -> Path:
        """The table's file."""
        return self._out / TABLE

    def job(self) -> Job[list[Outcome]]:
        """Run every trial that is left; a failure is recorded in the table, and the others continue."""
        left = [o.trial.number for o in self.outcomes if o.outcome != "completed"]
        total = len(self.outcomes)
        yield JobStarted("sweep", total)
        yield StageStarted(f"{total} trials, {self._workers.description}", total)
        yield EvaluationStep(total - len(left) - 1, total, f"{total - len(left)} are done already")
        try:
            with (
                self._workers,
                closing(run_tasks(self._workers, left, self._task, self._failed)) as blocks,
            ):
                for number, block in blocks:
                    if block is None:
                        self._end(number, JobEnded("completed", ""))
                    else:
                        self._record(number, block)
                    yield self._progress(number, block or ())
        finally:
            for number in list(self._recorders):
                self._end(number, JobEnded("stopped", "the sweep was stopped"))
            self._owner.release()
        return self.outcomes

    def _read_outcome(self, outcome: Outcome) -> None:
        path = self._path(outcome.trial)
        if not path.exists():
            return
        run = read_run(path)
        outcome.outcome, outcome.figures = run.outcome, run.figures
        if run.outcome != "completed":
            outcome.outcome = "waiting"
            if run.checkpoint:
                self._starts[outcome.trial.number] = Checkpoint(
                    run.checkpoint, run.checkpoint_scalars, run.checkpoint_results
                )

    def _path(self, trial: Trial) -> Path:
        return self._out / trial.file_name

    def _task(self, number: int) -> Task:
        trial = self.outcomes[number].trial
        if number not in self._recorders:
            path, options = self._path(trial), json.dumps(trial.options.model_dump(), indent=2)
            text, seed = trial.bench_text, trial.options.seed
            self._recorders[number] = Recorder(path, text, options, seed, resume=path.exists())
        self.outcomes[number].outcome = "running"
        argument = TrialTask(trial, self._data_dir, self._starts.get(number))
        name = f"trial {number}"
        return Task(name, run_trial, argument, self._sweep.cpus, self._sweep.gpus)

    def _record(self, number: int, block: tuple[Event, ...]) -> None:
        for event in block:
            self._recorders[number](event)
            if isinstance(event, Checkpoint):
                self._starts[number] = event

    def _failed(self, failure: Failed) -> None:
        self.outcomes[failure.key].reason = failure.message
        self._end(failure.key, JobEnded("failed", failure.message))

    def _end(self, number: int, ended: JobEnded) -> None:
        outcome, recorder = self.outcomes[number], self._recorders.pop(number)
        recorder(ended)
        outcome.outcome = ended.outcome
        outcome.figures = read_run(recorder.path).figures
        self._starts.pop(number, None)
        self._write_table()

    def _write_table(self) -> None:
        write_table(self.table, self.outcomes)

    def _progress(self, number: int, block: tuple[Event, ...]) -> EvaluationStep:
        done = sum(o.outcome in ("completed", "failed") for o in self.outcomes)
        message = f"trial {number}: {self.outcomes[number].outcome}"
        steps = [event for event in block if isinstance(event, TrainingStep)]
        if steps:
            last = steps[-1]
            message = f"trial {number}: {last.step + 1}/{last.total}, twin MSE {last.twin_mse:.3f}"
        return EvaluationStep(done - 1, len(self.outcomes), message)
