"""The engine: one bench that stays open, and one thing at a time done with it.

Between two events of a job the engine takes commands; so a job can be paused or stopped there, and
nobody else ever touches a device meanwhile. While no job runs it shows live frames.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable

import numpy as np

from calibration.result import CalibrationError
from drivers.errors import DeviceError
from drivers.types import Frame
from labdiff.bench.bench import Bench
from labdiff.bench.bench_safety import lasers_that_may_be_on
from labdiff.bench.lit_note import lasers_left_lit
from labdiff.engine.auto_exposure import find_exposure
from labdiff.engine.commands import (
    AutoExpose,
    Calibrate,
    Command,
    Connect,
    Disconnect,
    Generate,
    Pause,
    Quit,
    Requested,
    Resume,
    SafeState,
    SetCorrection,
    SetEmission,
    SetExposure,
    SetGain,
    SetLive,
    SetOutputRoi,
    SetPower,
    SetRoi,
    ShowHologram,
    ShowInput,
    ShowPhase,
    Stop,
    Train,
)
from labdiff.engine.opened_bench import OpenedBench, connect
from labdiff.engine.running_job import RunningJob, start_on_bench, start_on_twin
from labdiff.engine.status import (
    Answered,
    BenchState,
    ConnectStep,
    EngineEvent,
    ErrorReport,
    InputDisplayed,
    JobState,
    LayerSets,
    PatternDisplayed,
)
from labdiff.errors import JobStoppedError, UserError
from labdiff.events import Checkpoint, Event, HologramDisplayed, JobEnded, TrainingStep

log = logging.getLogger(__name__)

IDLE_WAIT_S = 0.2
"""Time that the engine waits for a command when there is nothing to do."""
STATE_EVERY_S = 1.0
"""Time between two reports of the devices' state."""


class Engine:
    """Executes commands, emits events, and hands out frames.

    Example:
        Engine(emit=print, show_frame=window.show).serve(next_command)

    Args:
        emit: called with every event, from the thread of `serve`.
        show_frame: called with every frame that is to be shown.
    """

    def __init__(
        self, emit: Callable[[EngineEvent], None], show_frame: Callable[[Frame], None]
    ) -> None:
        self._emit, self._show_frame = emit, show_frame
        self._opened: OpenedBench | None = None
        self._job: RunningJob | None = None
        self._made_safe = False
        self._live: SetLive = SetLive(False)
        self._state_sent_s = self._frame_shown_s = 0.0

    def serve(self, next_command: Callable[[float], Command | None]) -> None:
        """Execute commands until Quit, or until `next_command` raises EOFError: its sender is gone.

        At the end the bench is left safe.

        Args:
            next_command: waits at most so many seconds for a command; returns None if there was none.
        """
        try:
            while True:
                command = next_command(self._wait_s())
                if isinstance(command, Quit):
                    return
                if command is not None:
                    self._execute(command)
                else:
                    self._advance()
        except EOFError:
            log.info("the program that steered the bench is gone; the bench is left safe")
        finally:
            self._disconnect()

    def laser_off(self) -> None:
        """Switch the laser off at once, from any thread; the rest of the safe state follows later.

        Until then no job and no command switches it on again.
        """
        self._made_safe = True
        opened = self._opened
        if opened is not None:
            opened.bench.hold_dark()

    def _wait_s(self) -> float:
        """Return the longest time to wait for a command before `_advance` is due."""
        if self._job is not None:
            return IDLE_WAIT_S if self._job.paused or self._made_safe else 0.0
        if self._opened is not None and self._live.on:
            due_s = self._frame_shown_s + 1.0 / self._live.frames_per_s
            return max(0.0, due_s - time.monotonic())
        return IDLE_WAIT_S

    def _execute(self, command: Command) -> None:
        """Execute a command; one that fails is reported, and the engine stays in service."""
        inner = command.command if isinstance(command, Requested) else command
        report = self._try(inner)
        if report is not None:
            self._emit(report)
        self._emit_state()
        if isinstance(command, Requested):
            self._emit(Answered(command.number, "" if report is None else report.message))

    def _try(self, command: Command) -> ErrorReport | None:
        """Execute a command; return what went wrong, None if nothing did."""
        try:
            self._dispatch(command)
        except JobStoppedError as error:
            return ErrorReport(str(error))
        except (UserError, CalibrationError, DeviceError) as error:
            # A laser that is made safe while it is switched on does not say why it stays dark.
            switched_off = self._made_safe and isinstance(command, SetEmission)
            return ErrorReport("the laser was switched off" if switched_off else str(error))
        except Exception as error:
            log.exception("a command failed")
            return _unexpected(error)
        return None

    def _dispatch(self, command: Command) -> None:
        match command:
            case Connect():
                self._disconnect()
                for left in lasers_left_lit():
                    self._emit(ErrorReport(left.describe()))
                self._emit(ConnectStep(2, f"opening the devices of {command.bench}"))
                self._opened = connect(command, self._show_frame)
                self._emit(ConnectStep(3, "reading the devices"))
                if self._opened.bench.unguarded:
                    self._emit(ErrorReport(self._opened.bench.unguarded))
            case Disconnect():
                self._disconnect()
            case SetLive():
                self._live = command
            case Pause() | Resume():
                if self._job is not None:
                    self._job.paused = isinstance(command, Pause)
                self._emit_job()
            case Stop():
                self._stop()
            case SafeState():
                self._make_safe()
            case Generate(request) if request.where == "twin":
                self._require_idle()
                self._begin(start_on_twin(request))
            case Calibrate() | Train() | Generate() | ShowHologram():
                self._begin(start_on_bench(command, self._idle()))
            case SetExposure(exposure_ms):
                self._idle().readout.set_exposure(exposure_ms)
            case SetGain(gain_db):
                self._idle().readout.set_gain(gain_db)
            case SetPower(power_mw):
                self._idle().readout.set_power(power_mw)
            case SetRoi(roi):
                bench = self._idle().bench
                bench.camera.roi = roi or bench.whole_sensor
            case SetOutputRoi():
                self._idle().readout.set_output_roi()
            case AutoExpose():
                opened = self._idle()
                found = find_exposure(opened.bench, self._show_frame)
                opened.readout.adopt_set_values()
                self._emit(found)
            case SetEmission(on):
                bench = self._idle().bench
                if on:
                    bench.switch_on()
                else:
                    bench.laser.emission = False
            case SetCorrection(on):
                self._idle().readout.set_correction(on)
            case ShowPhase(phase_rad, name):
                bench = self._idle().bench
                if phase_rad is None:
                    bench.display.flatten()
                    flat = np.zeros(bench.slm.shape, np.float32)
                    self._emit(PatternDisplayed(flat, "flat"))
                else:
                    bench.slm.set_phase(phase_rad)
                    self._emit(PatternDisplayed(phase_rad, name))
            case ShowInput(field, name):
                dmd = self._idle().bench.dmd
                if dmd is None:
                    raise UserError("this bench has no DMD; a patch of its SLM writes the input")
                dmd.show(field)
                self._emit(InputDisplayed(name))
            case Quit():
                pass

    def _idle(self) -> OpenedBench:
        """Return the bench. Raises UserError if none is connected, or a job runs."""
        if self._opened is None:
            raise UserError("no bench is connected; choose one and connect")
        self._require_idle()
        if self._made_safe:
            raise UserError("the bench is being made safe; try again in a moment")
        return self._opened

    def _require_idle(self) -> None:
        if self._job is not None:
            raise UserError(f"the bench is busy: {self._job.kind}; stop it first")

    def _make_safe(self) -> None:
        """Verify that the laser is off, end the job and flatten the SLM; say what could not be done."""
        self._live = SetLive(False)
        self._stop()
        if self._opened is not None:
            bench = self._opened.bench
            bench.make_safe()
            self._emit_left_unsafe(bench)
            self._made_safe = False
            bench.release()
        self._made_safe = False

    def _emit_left_unsafe(self, bench: Bench) -> None:
        if bench.left_unsafe:
            self._emit(ErrorReport("; ".join([*lasers_that_may_be_on(), *bench.left_unsafe])))

    def _disconnect(self) -> None:
        self._stop()
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
            self._emit_left_unsafe(opened.bench)
            self._emit(BenchState("", (), bool(lasers_that_may_be_on()), False))

    def _begin(self, job: RunningJob) -> None:
        self._job = job
        self._emit_job()

    def _advance(self) -> None:
        """Take one event of the job, or show one live frame; complete the safe state if it has begun."""
        if self._made_safe:  # by a signal, after which no command comes
            self._make_safe()
        elif self._job is not None:
            if not self._job.paused:
                self._step(self._job)
        elif self._opened is not None and self._live.on:
            self._frame_shown_s = time.monotonic()
            try:
                self._show_frame(self._opened.bench.camera.get_frame())
            except DeviceError as error:
                self._live = SetLive(False)
                self._emit(ErrorReport(f"{error}. The live view is off."))
        if time.monotonic() - self._state_sent_s > STATE_EVERY_S:
            self._emit_state()

    def _step(self, job: RunningJob) -> None:
        try:
            event = next(job.events)
        except StopIteration:
            self._end(JobEnded("completed", ""))
        except (UserError, CalibrationError, DeviceError) as error:
            if self._made_safe:  # the job misses the light that the safe state has switched off
                self._end(JobEnded("stopped", "the bench was made safe"))
                return
            self._emit(ErrorReport(str(error)))
            self._end(JobEnded("failed", str(error)))
        except JobStoppedError as error:
            self._end(JobEnded("stopped", str(error)))
        except Exception as error:
            log.exception("the job failed")
            report = _unexpected(error)
            self._emit(report)
            self._end(JobEnded("failed", report.message))
        else:
            self._emit(event)
            if isinstance(event, HologramDisplayed) and self._opened is not None:
                self._emit_hologram(event, self._opened.bench)
            if job.session is not None and self._opened is not None:
                phases = job.session.odu.phases.detach().numpy()
                self._emit_patterns(event, phases, self._opened.bench)

    def _emit_hologram(self, event: HologramDisplayed, bench: Bench) -> None:
        values = "the calibrated twin" if event.aligned else "the data sheets' twin"
        description = f"hologram, correlation {event.correlation:.3f} on {values}"
        self._emit(PatternDisplayed(bench.layout.panel(event.patches_rad), description))

    def _emit_patterns(self, event: Event, phases: np.ndarray, bench: Bench) -> None:
        """Emit what a training displays on the SLM, and the layers (M, N, h, w) of a checkpoint."""
        match event:
            case TrainingStep(pictures=pictures, layer_set=layer_set) if pictures is not None:
                patches = phases[layer_set]
                if bench.dmd is None:
                    patches = np.concatenate([pictures.input_field[None], patches])
                description = f"layer set {layer_set}, one image of the batch"
                self._emit(PatternDisplayed(bench.layout.panel(patches), description))
            case Checkpoint():
                self._emit(LayerSets(phases.copy()))

    def _stop(self) -> None:
        job = self._job
        if job is None:
            return
        self._emit(JobState(job.kind, "stopping", job.path))
        try:
            job.events.close()
        except JobStoppedError:
            pass  # it would have switched the laser on again
        except Exception as error:
            log.exception("the job did not end in good order")
            self._emit(_unexpected(error))
        self._end(JobEnded("stopped", "stopped by the user"))

    def _end(self, ended: JobEnded) -> None:
        self._job = None
        if self._opened is not None:
            self._opened.readout.adopt_set_values()
        self._emit(ended)
        self._emit_job()
        self._emit_state()

    def _emit_job(self) -> None:
        self._emit(JobState("", "idle") if self._job is None else self._job.state)

    def _emit_state(self) -> None:
        self._state_sent_s = time.monotonic()
        # While a job runs the devices are its own: nothing else reads them.
        if self._opened is not None and self._job is None:
            self._emit(self._opened.readout.state(self._live.on))


def _unexpected(error: Exception) -> ErrorReport:
    """Return the report of an error that is being handled, with its traceback."""
    return ErrorReport(f"{type(error).__name__}: {error}", traceback.format_exc())
