"""The job that an engine runs, and how a command becomes one."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from calibration.archive import CalibrationArchive
from labdiff.config.bench import read_bench_file
from labdiff.config.options_file import training_options
from labdiff.engine.commands import Calibrate, Generate, ShowHologram, Train
from labdiff.engine.opened_bench import OpenedBench
from labdiff.engine.status import JobKind, JobState
from labdiff.events import Event
from labdiff.generation.request import GenerationRequest
from labdiff.job import recorded
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
from labdiff.jobs.generation_job import GenerationJob
from labdiff.jobs.hologram_job import HologramJob
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.layer_file import layer_path, options_from_layers
from labdiff.session.training_session import TrainingSession


@dataclass(slots=True)
class RunningJob:
    """A job in progress. path: the file that it writes, "" for none. session: of a training."""

    kind: JobKind
    events: Generator[Event, None, object]
    path: str = ""
    session: TrainingSession | None = None
    paused: bool = False

    @property
    def state(self) -> JobState:
        """The job's state, running or paused."""
        return JobState(self.kind, "paused" if self.paused else "running", self.path)


def start_on_twin(request: GenerationRequest) -> RunningJob:
    """Start to generate images on the twin, which needs no bench."""
    return RunningJob("generation", GenerationJob(request).job())


def start_on_bench(
    command: Calibrate | Train | Generate | ShowHologram, opened: OpenedBench
) -> RunningJob:
    """Start the job that a command asks for on an open bench. Raises UserError for a user's mistake."""
    match command:
        case Calibrate(names, everything, check):
            name, seed = opened.command.bench, opened.command.seed
            request = CalibrationRequest(name, seed, opened.calibrations, everything, names, check)
            return RunningJob("calibration", CalibrationJob(request, opened.bench).job())
        case Train():
            return _start_training(command, opened)
        case Generate(generation):
            generation = replace(generation, calibrations=opened.calibrations)
            return RunningJob("generation", GenerationJob(generation, opened.bench).job())
        case ShowHologram(target, _, steps):
            archive = CalibrationArchive(opened.calibrations)
            config = read_bench_file(opened.command.bench).config
            hologram = HologramJob(config, opened.bench, archive, target, steps)
            return RunningJob("hologram", hologram.job())


def _start_training(command: Train, opened: OpenedBench) -> RunningJob:
    options, layers = command.options, None
    if command.start_from is not None:
        layers = layer_path(str(command.start_from))
        chosen = options_from_layers(layers, options.model_dump(), set())
        options = training_options(chosen, str(layers))
    request = Request(
        bench=opened.command.bench,
        out=command.out,
        options=options,
        data_dir=command.data_dir,
        resume=command.resume,
        calibrations=opened.calibrations,
        start_from=layers,
    )
    training = ExperimentJob(request, opened.bench)
    events = training.job()
    if training.recorder is not None:
        events = recorded(events, training.recorder)
    return RunningJob("training", events, str(request.run_path), training.session)
