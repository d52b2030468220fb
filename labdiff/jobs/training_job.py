"""Jobs by name, as the command line and the window's worker process open them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from drivers.errors import DeviceError, DeviceStateError
from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchFile, parse_bench, read_bench_file
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Event
from labdiff.jobs.bench_of_file import (
    NOTHING_SAID,
    Consent,
    own_calibrations,
    remember,
    require_consent,
)
from labdiff.jobs.calibrator import calibrator
from labdiff.jobs.experiment import TrainOnTwin, experiment
from labdiff.jobs.job_bench import JobBench
from labdiff.owner import Owner
from labdiff.remote.ray_connection import connect_bench
from labdiff.runs.reader import RunFile, read_run
from labdiff.runs.recorder import Recorder, own_run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import options_to_resume, resume_run
from labdiff.session.layer_file import read_layers
from labdiff.session.training_session import CHECKPOINT_SECONDS, TrainingSession
from labdiff.training.parallel_layer_sets import check_independent, train_on_twin
from labdiff.workers.choose import chosen_workers

log = logging.getLogger(__name__)

RUN_FILE = "run.h5"


@dataclass(frozen=True, slots=True)
class Request:
    """What a job needs to know; plain values, so that it crosses to another process.

    bench: name of a shipped bench, path, or a bench file that was read. out: folder of the run file, or
    None for none.
    resume: a run file to be resumed; it brings its own bench and options. consent: what was said about
    the devices of that bench. calibrations: folder of the
    bench's stored calibrations, to be used and added to; None: all is measured and nothing stored
    (a resumed run has its own).
    start_from: a layer file instead of training offline; its options and its bench have to fit these.
    checkpoint_seconds: the longest time whose work a crash may cost, beside that of a stage without steps.
    workers: processes that train layer sets on the twin at the same time; 0: one after the other, here.
    workers_on, cluster: as `labdiff.workers.choose.chosen_workers` has them. remote: address of a Ray
    cluster whose served bench is used, with its own bench file.
    """

    bench: str | BenchFile = "mock"
    out: Path | None = None
    options: TrainingOptions = field(default_factory=TrainingOptions)
    data_dir: Path | None = None
    resume: Path | None = None
    calibrations: Path | None = None
    start_from: Path | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    workers: int = 0
    workers_on: str = "auto"
    remote: str | None = None
    cluster: str | None = None
    consent: Consent = NOTHING_SAID

    @property
    def run_path(self) -> Path | None:
        """Return the path of the run file that is written, or None."""
        return self.resume or (self.out / RUN_FILE if self.out is not None else None)


class ExperimentJob:
    """The main job with its bench and its recorder, ready for `run`.

    Preparing it checks everything that can be checked before the laser is switched on. bench: one that is
    open already, of this bench file, and stays so; else one is opened, and closed at the end.
    Raises UserError for a user's mistake.
    """

    def __init__(self, request: Request, bench: Bench | None = None) -> None:
        self.request = request
        # Owned before it is read: another program that records in it would move it on.
        self._owner = _own_existing(request.resume)
        try:
            self._prepare(request, bench)
        except BaseException:
            if self._owner is not None:
                self._owner.release()
            raise

    def _prepare(self, request: Request, bench: Bench | None) -> None:
        run = read_run(request.resume) if request.resume else None
        if run is not None:
            self.options, self._text, name = options_to_resume(run), run.bench_text, str(run.path)
        else:
            self.options = request.options
            name, self._text = "", ""
            if not request.remote:
                file = read_bench_file(request.bench)
                name, self._text = file.source, file.text
        remote: Bench | None = None
        if request.remote is not None:
            remote, served = connect_bench(request.remote)
            name, self._text = f"bench at {request.remote}", self._remote_text(remote, served, run)
        config = parse_bench(self._text, name)
        self._run = run
        self._archive_folder = request.calibrations
        if run is not None:
            self._archive_folder = own_calibrations(run.calibrations, self._text)
            if remote is None:
                # A bench that is lent is the one of the window or of the script.
                consent = request.consent if bench is None else Consent(request.bench)
                require_consent(name, self._text, config, consent)
            if self._archive_folder != run.calibrations:
                log.warning(
                    "%s: %s holds no calibrations of its bench; all is measured, nothing stored",
                    *(name, run.calibrations),
                )
        if remote is not None:
            self._bench = JobBench(remote)
        else:
            self._bench = JobBench.open(config, self.options.seed, bench, "training")
        with self._bench.preparing() as opened:
            self._on_twin = self._twin_training()
            calibrated = CalibratedBench(config, opened)
            self.session = TrainingSession.create(calibrated, self.options, request.data_dir)
            self.session.checkpoint_seconds = request.checkpoint_seconds
            if run is not None:
                resume_run(self.session, run)
            elif request.start_from is not None:
                read_layers(request.start_from).load_into(self.session)
                self.session.position.go_to("offline_on_twin")
            self.recorder = self._make_recorder()
            if remote is None:
                remember(self._text, config)

    def _twin_training(self) -> TrainOnTwin:
        """Return what trains on the twin. Raises UserError if there are no such workers."""
        request, workers = self.request, None
        if request.workers:
            # Here and not after hours; layers from a file need no neighbour.
            if request.start_from is None and request.resume is None:
                check_independent(self.options, request.workers)
            workers = chosen_workers(request.workers, request.workers_on, request.cluster)
        return partial(
            train_on_twin, bench_text=self._text, workers=workers, data_dir=request.data_dir
        )

    @staticmethod
    def _remote_text(bench: Bench, served: str, run: RunFile | None) -> str:
        """Return the bench file's text. Raises UserError if it is another than the run's."""
        if run is not None and run.bench_text != served:
            bench.close()
            raise UserError(f"{run.path}: is of another bench file than the one that is served")
        return served

    def _make_recorder(self) -> Recorder | None:
        path = self.request.run_path
        if path is None:
            return None
        if self._bench.bench is not None:
            self._bench.bench.report_in(path.parent)
        options = json.dumps(self.options.model_dump(), indent=2)
        resumed = self._run is not None
        return Recorder(
            *(path, self._text, options, self.options.seed, resumed),
            calibrations=self._archive_folder,
            owner=self._owner,
        )

    def job(self) -> Generator[Event, None, dict[str, float]]:
        """Run the experiment; the end, by whatever way, leaves the bench safe."""
        before_s = self.session.figures.get("seconds", 0.0)
        started_s = time.monotonic()
        try:
            with self._bench.lit():
                return (yield from self._experiment(before_s))
        except DeviceStateError as error:
            raise UserError(str(error)) from error
        except DeviceError as error:
            spent_s = time.monotonic() - started_s
            raise UserError(
                f"{error} (after {spent_s:.0f} s). {self._state()} Mend it, then "
                f"resume: labdiff train --resume {self.request.run_path}"
            ) from error

    def _experiment(self, before_s: float) -> Generator[Event, None, dict[str, float]]:
        how = calibrator(self.session.calibrated, self._archive_folder, self._text)
        return experiment(self.session, how, before_s, self._on_twin)

    def _state(self) -> str:
        """Return how the bench was left, and what had gone wrong before."""
        bench = self.session.calibrated.bench
        left, before = bench.left_unsafe, bench.fault_log.summary()
        safe = (
            f"See to it by hand: {'; '.join(left)}."
            if left
            else "The laser is off and the SLM flat."
        )
        return f"{safe} Faults until then: {before}." if before else safe


def _own_existing(path: Path | None) -> Owner | None:
    """Own a run file that is resumed; None if there is none. Raises UserError if another program does."""
    return own_run(path) if path is not None and path.is_file() else None
