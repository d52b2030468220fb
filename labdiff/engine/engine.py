"""The engine: one bench that stays open, and one thing at a time done with it.

Between two events of a job it looks for commands; so a job can be paused or stopped there, and nobody
else ever touches a device meanwhile. While nothing else is done it shows live frames.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from calibration.result import CalibrationError
from drivers.errors import DeviceError
from drivers.types import Frame
from labdiff.bench.bench import Bench
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import archive_folder
from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.engine.commands import (
    Calibrate,
    Command,
    Connect,
    Disconnect,
    Generate,
    Pause,
    Quit,
    Resume,
    SafeState,
    SetEmission,
    SetExposure,
    SetLive,
    SetPower,
    SetRoi,
    ShowPhase,
    Stop,
    Train,
)
from labdiff.engine.device_readout import DeviceReadout
from labdiff.engine.status import (
    BenchState,
    ErrorReport,
    JobState,
    LayerSets,
    News,
    PatternShown,
)
from labdiff.errors import JobStoppedError, UserError
from labdiff.events import Checkpoint, Event, JobEnded, TrainingStep
from labdiff.job import recorded
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
from labdiff.jobs.generation_job import GenerationJob
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.layer_file import layer_path, options_from_layers
from labdiff.session.training_session import TrainingSession

log = logging.getLogger(__name__)

Kind = Literal["calibration", "training", "generation"]
REST_S = 0.2
"""How long it sleeps when there is nothing to do."""
STATE_EVERY_S = 1.0


class Engine:
    """Does what commands ask; tells what happens, and hands out frames.

    tell: called with every piece of news. show: called with every frame that is worth a look.
    """

    def __init__(self, tell: Callable[[News], None], show: Callable[[Frame], None]) -> None:
        self._tell, self._show = tell, show
        self._bench: Bench | None = None
        self._desk: DeviceReadout | None = None
        self._connect: Connect | None = None
        self._calibrations = Path()
        self._job: Generator[Event, None, Any] | None = None
        self._kind: Kind | Literal[""] = ""
        self._path = ""
        self._session: TrainingSession | None = None
        self._paused = self._made_safe = False
        self._live: SetLive = SetLive(False)
        self._told_s = self._shown_s = 0.0

    def serve(self, take: Callable[[float], Command | None]) -> None:
        """Until Quit, or until `take` raises EOFError because nobody is there any more.

        take: waits so many seconds for the next command; None if there was none. Its end leaves the
        bench safe.
        """
        try:
            while True:
                command = take(self._patience_s())
                if isinstance(command, Quit):
                    return
                if command is not None:
                    self._obeyed(command)
                else:
                    self._go_on()
        except EOFError:
            log.info("whoever steered the bench is gone; it is left safe")
        finally:
            self._disconnect()

    def laser_off(self) -> None:
        """At once, from whatever thread; the rest of the safe state follows between two events."""
        self._made_safe = True
        if self._bench is not None:
            self._bench.laser.emission = False

    def _patience_s(self) -> float:
        if self._job is not None and not self._paused:
            return 0.0
        if self._bench is not None and self._live.on and self._job is None:
            return max(0.0, self._shown_s + 1.0 / self._live.frames_per_s - time.monotonic())
        return REST_S

    def _obeyed(self, command: Command) -> None:
        """A command that cannot be obeyed is said in words; the engine goes on."""
        try:
            self._obey(command)
        except (UserError, CalibrationError, DeviceError) as error:
            self._tell(ErrorReport(str(error)))
        except Exception as error:
            log.exception("a command failed")
            self._tell(ErrorReport(f"{type(error).__name__}: {error}", traceback.format_exc()))
        self._tell_state()

    def _obey(self, command: Command) -> None:
        match command:
            case Connect():
                self._open(command)
            case Disconnect():
                self._disconnect()
            case SetLive():
                self._live = command
            case Pause() | Resume():
                self._paused = isinstance(command, Pause) and self._job is not None
                self._tell_job()
            case Stop():
                self._stop()
            case SafeState():
                self._live = SetLive(False)
                self._stop()
                if self._bench is not None:
                    self._bench.rest()
                self._made_safe = False
            case Calibrate() | Train() | Generate():
                self._start(command)
            case SetExposure(exposure_ms):
                self._idle_desk().set_exposure(exposure_ms)
            case SetPower(power_mw):
                self._idle_desk().set_power(power_mw)
            case SetRoi(roi):
                bench = self._idle()
                bench.camera.roi = roi or bench.whole_sensor
            case SetEmission(on):
                self._idle().laser.emission = on
            case ShowPhase(phase_rad):
                bench = self._idle()
                if phase_rad is None:
                    bench.flatten()
                    self._tell(PatternShown(np.zeros(bench.slm.shape, np.float32), "flat"))
                else:
                    bench.slm.set_phase(phase_rad)
                    self._tell(PatternShown(phase_rad, "by hand"))
            case Quit():
                pass

    def _opened(self) -> Bench:
        if self._bench is None:
            raise UserError("no bench is connected; choose one and connect")
        return self._bench

    def _idle(self) -> Bench:
        bench = self._opened()
        self._free()
        return bench

    def _free(self) -> None:
        if self._job is not None:
            raise UserError(f"the bench is busy: {self._kind}; stop it first")

    def _idle_desk(self) -> DeviceReadout:
        self._idle()
        assert self._desk is not None
        return self._desk

    def _open(self, command: Connect) -> None:
        self._disconnect()
        name, text = bench_text(command.bench)
        config: BenchConfig = parse_bench(text, name)
        if command.slm_address is not None:
            slm = config.slm.model_copy(update={"address": command.slm_address})
            config = config.model_copy(update={"slm": slm})
        bench = open_bench(config, command.seed)
        bench.on_frames = lambda frames: self._show(frames[-1])
        self._bench, self._connect = bench, command
        mock = config.camera.driver == "mock"
        own = archive_folder(command.bench, mock, command.seed)
        self._calibrations = command.calibrations or own
        self._desk = DeviceReadout(bench, config, self._calibrations)

    def _disconnect(self) -> None:
        self._stop()
        bench, self._bench, self._desk = self._bench, None, None
        if bench is not None:
            bench.close()
            self._tell(BenchState("", (), False, False))

    def _start(self, command: Calibrate | Train | Generate) -> None:
        if isinstance(command, Generate) and command.request.where == "twin":
            self._free()  # the twin needs no bench
            self._begin("generation", GenerationJob(command.request).job())
            return
        bench, connect = self._idle(), self._connect
        assert connect is not None
        folder = self._calibrations
        match command:
            case Calibrate(names, everything, check):
                asked = CalibrationRequest(
                    connect.bench, connect.seed, folder, everything, names, check
                )
                self._begin("calibration", CalibrationJob(asked, bench).job())
            case Train():
                options, layers = command.options, None
                if command.start_from is not None:
                    layers = layer_path(str(command.start_from))
                    wanted = options_from_layers(layers, options.model_dump(), set())
                    options = TrainingOptions(**wanted)
                request = Request(
                    connect.bench,
                    command.out,
                    options,
                    command.data_dir,
                    command.resume,
                    folder,
                    layers,
                )
                training = ExperimentJob(request, bench)
                assert training.recorder is not None
                job = recorded(training.job(), training.recorder)
                self._begin("training", job, str(request.run_path))
                self._session = training.session
            case Generate(asked_for):
                asked_for = replace(asked_for, calibrations=folder)
                self._begin("generation", GenerationJob(asked_for, bench).job())

    def _begin(self, kind: Kind, job: Generator[Event, None, Any], path: str = "") -> None:
        self._kind, self._path, self._job, self._paused = kind, path, job, False
        self._tell_job()

    def _go_on(self) -> None:
        """One event of the job, or one live frame, or nothing."""
        if self._job is not None:
            if not self._paused:
                self._step(self._job)
        elif self._bench is not None and self._live.on:
            self._shown_s = time.monotonic()
            try:
                self._show(self._bench.camera.get_frame())
            except DeviceError as error:
                self._live = SetLive(False)
                self._tell(ErrorReport(f"{error}. The live view is off."))
        if time.monotonic() - self._told_s > STATE_EVERY_S:
            self._tell_state()

    def _step(self, job: Generator[Event, None, Any]) -> None:
        try:
            event = next(job)
        except StopIteration:
            self._ended(JobEnded("completed", ""))
        except (UserError, CalibrationError, DeviceError) as error:
            if self._made_safe:  # it missed the light that was taken from it
                self._ended(JobEnded("stopped", "the bench was made safe"))
                return
            self._tell(ErrorReport(str(error)))
            self._ended(JobEnded("failed", str(error)))
        except JobStoppedError as error:
            self._ended(JobEnded("stopped", str(error)))
        except Exception as error:
            log.exception("the job failed")
            words = f"{type(error).__name__}: {error}"
            self._tell(ErrorReport(words, traceback.format_exc()))
            self._ended(JobEnded("failed", words))
        else:
            self._tell(event)
            self._tell_patterns(event)

    def _tell_patterns(self, event: Event) -> None:
        """What a training has on the SLM, and what it has learnt."""
        if self._session is None or self._bench is None:
            return
        phases = self._session.odu.phases.detach().numpy()
        match event:
            case TrainingStep(pictures=pictures, layer_set=layer_set) if pictures is not None:
                patches = phases[layer_set]
                if self._bench.dmd is None:
                    patches = np.concatenate([pictures.input_field[None], patches])
                words = f"layer set {layer_set}, one image of the batch"
                self._tell(PatternShown(self._bench.layout.panel(patches), words))
            case Checkpoint():
                self._tell(LayerSets(phases.copy()))

    def _stop(self) -> None:
        job = self._job
        if job is None:
            return
        self._tell(JobState(self._kind, "stopping", self._path))
        try:
            job.close()
        except Exception as error:
            log.exception("the job did not end in good order")
            self._tell(ErrorReport(f"{type(error).__name__}: {error}", traceback.format_exc()))
        self._ended(JobEnded("stopped", "stopped by the user"))

    def _ended(self, how: JobEnded) -> None:
        self._job, self._session, self._paused = None, None, False
        if self._desk is not None:
            self._desk.job_ended()
        self._tell(how)
        self._kind, self._path = "", ""
        self._tell_job()
        self._tell_state()

    def _tell_job(self) -> None:
        state: Literal["idle", "running", "paused"] = "running"
        if self._job is None:
            state = "idle"
        elif self._paused:
            state = "paused"
        self._tell(JobState(self._kind, state, self._path))

    def _tell_state(self) -> None:
        self._told_s = time.monotonic()
        # While a job runs the devices are its own: nobody else asks them.
        if self._desk is not None and self._job is None:
            self._tell(self._desk.state(self._live.on))
