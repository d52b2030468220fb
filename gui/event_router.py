"""Shows in the panels what the bench's process reports: which event goes to which panel."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from calibration.step import CalibrationStep
from gui.camera_desk.settings_page import describe_found
from gui.image_view import Picture
from gui.job_progress import JobProgress
from gui.panels.panel_set import PanelSet
from labdiff.calibrations.names import ROUTINE_TITLES
from labdiff.config.simulated import with_simulated
from labdiff.engine.status import (
    Answered,
    BenchState,
    ConnectStep,
    EngineEvent,
    ErrorReport,
    ExposureFound,
    HandRequested,
    InputDisplayed,
    JobState,
    LayerSets,
    PatternDisplayed,
)
from labdiff.events import (
    AlignmentStep,
    Calibrated,
    GenerationStep,
    HologramDisplayed,
    HologramStep,
    JobEnded,
    JobStarted,
    Measured,
    StageStarted,
    TrainingStep,
    ValidityChecked,
)

REDRAW_S = 0.2
"""Time between two drawings of the training curves."""
IDLE = JobState("", "idle")
NO_BENCH = BenchState("", (), False, False)


class EventRouter(QObject):
    """Passes events on to panels, and holds the last state of the bench and of the job.

    Attributes:
        state_changed: Emitted when the bench or the job has another state.
        error: Emitted with a message and its details when something went wrong.
        training_ended: Emitted with the path of the run file.
        hand_requested: Emitted with what the person at the bench has to do.
        answered: Emitted with the number of a requested command, and why it was not executed or "".
        was_reset: Emitted when there is neither a job nor a bench any more.
        ended: How the last job has ended, None if none has; ended_path: the file that it wrote.
    """

    state_changed = Signal()
    error = Signal(str, str)
    training_ended = Signal(str)
    hand_requested = Signal(HandRequested)
    answered = Signal(int, str)
    was_reset = Signal()

    def __init__(self, panels: PanelSet) -> None:
        super().__init__()
        self.bench, self.job = NO_BENCH, IDLE
        self.ended: JobEnded | None = None
        self.ended_path = ""
        self._panels = panels
        self.progress = JobProgress({})
        self._asked, self._asked_s = "", 0.0
        self._drawn_s = 0.0
        self._curves_changed = False

    @property
    def busy(self) -> bool:
        """True while a job runs or is paused."""
        return self.job.state != "idle"

    def route(self, event: EngineEvent, pictures: Mapping[str, Picture]) -> None:
        """Show an event in its panels.

        Args:
            event: What the bench's process reports.
            pictures: Arrays that belong to it, by name.
        """
        panels = self._panels
        match event:
            case BenchState():
                self._show_bench(event)
            case JobState():
                self._show_job(event)
            case ConnectStep(step, message):
                panels.bench.show_connecting(step, message)
            case ErrorReport():
                panels.live.desk.settle()
                panels.slm.hologram.settle()
                self.error.emit(event.message, event.details)
            case Answered(number, error):
                self.answered.emit(number, error)
            case HandRequested():
                self.hand_requested.emit(event)
            case PatternDisplayed():
                if "pattern" in pictures:
                    panels.slm.set_pattern(pictures["pattern"], event.description)
            case InputDisplayed(name):
                panels.bench.show_input(name)
            case ExposureFound():
                panels.live.desk.show_found(event)
                panels.log.add(f"found: {describe_found(event)}")
            case LayerSets():
                if "layers" in pictures:
                    panels.slm.set_layer_sets(pictures["layers"])
            case JobStarted(data=data) if data:
                panels.log.add(data)
            case StageStarted():
                self._show_stage(event.stage)
            case TrainingStep():
                self.progress.advance(event.step + 1, event.total)
                panels.training.show_step(event)
                panels.training.show_pictures(pictures)
                self._curves_changed = True
            case AlignmentStep() | CalibrationStep():
                self._show_calibration_step(event, pictures.get("camera"))
            case Calibrated():
                self._show_calibrated(event)
            case ValidityChecked():
                panels.calibration.show_validity(event.findings)
                needless = ("fresh", "left out")
                self.progress.leave_out(n for n, state, _ in event.findings if state in needless)
            case GenerationStep():
                self._show_generation_step(event, pictures)
            case HologramStep():
                self.progress.advance(event.step + 1, event.total)
                panels.slm.hologram.show_step(event, pictures.get("seen"))
            case HologramDisplayed():
                panels.slm.hologram.show_displayed(event)
            case Measured():
                self._show_figures(event.figures)
            case JobEnded():
                self._show_end(event)
            case _:
                pass

    def redraw(self) -> None:
        """Draw the training curves if they have changed, some times a second at most."""
        if self._curves_changed and time.monotonic() - self._drawn_s > REDRAW_S:
            self._panels.training.plots.redraw()
            self._curves_changed, self._drawn_s = False, time.monotonic()

    def acknowledge(self, what: str) -> None:
        """Show at once what was asked of the job, such as "stopping", until it has happened."""
        self._asked, self._asked_s = what, time.monotonic()
        self._enable_panels()

    def reset(self) -> None:
        """Show that there is neither a job nor a bench, and no figure of the last ones."""
        self.bench, self.job = NO_BENCH, IDLE
        self._curves_changed, self._asked = False, ""
        self.progress.end()
        self._panels.reset()
        self._enable_panels()
        self.was_reset.emit()

    def bench_status(self) -> str:
        """Return the bench and its laser in a few words.

        While a job has the bench nobody asks the laser, which has to be taken as on.
        """
        if not self.bench.devices:
            return "no bench; the laser may be ON" if self.bench.emission else "no bench"
        laser = "laser on" if self.bench.emission else "laser off"
        if self.busy:
            laser = "laser in use by the job"
        return with_simulated(f"{self.bench.bench}: {laser}", self.bench.simulated)

    def window_title(self) -> str:
        """Return the program, the bench, and what of it is simulated."""
        if not self.bench.devices:
            return "labdiff"
        return with_simulated(f"labdiff, {self.bench.bench}", self.bench.simulated)

    def job_status(self) -> str:
        """Return the job and its state in a few words; "" if there is none."""
        if not self.busy:
            return ""
        if self._asked:
            waited_s = int(time.monotonic() - self._asked_s)
            return f"{self.job.kind} {self._asked} ..." + (f" {waited_s} s" if waited_s else "")
        return f"{self.job.kind} {self.job.state}"

    def _show_bench(self, state: BenchState) -> None:
        before, self.bench = self.bench, state
        panels = self._panels
        if before.devices and identity(before) != identity(state):
            panels.reset()
        panels.bench.show_state(state)
        if state.devices and identity(before) != identity(state):
            panels.calibration.set_archive(Path(state.calibrations), state.patch_shape)
            panels.slm.set_bench(state.panel_shape, state.wavelength_nm, state.pixel_pitch_um)
            panels.slm.set_patches(state.patches, state.input_patch)
        panels.slm.show_state(state)
        self._enable_panels()

    def _show_job(self, state: JobState) -> None:
        before, self.job = self.job, state
        panels = self._panels
        reached = {"stopping": "idle", "pausing": "paused", "continuing": "running"}
        if state.state in ("idle", reached.get(self._asked, "idle")):
            self._asked = ""
        if state.state == "running" and before.state == "idle":
            panels.log.add(f"{state.kind} started {state.path}".rstrip())
            match state.kind:
                case "calibration":
                    panels.calibration.begin()
                case "training":
                    panels.training.begin(state.path)
                case "generation":
                    panels.generate.begin()
        if state.kind == "training":
            panels.training.show_paused(state.state == "paused")
        self._enable_panels()

    def _enable_panels(self) -> None:
        panels, kind = self._panels, self.job.kind
        connected, busy = bool(self.bench.devices), self.busy
        panels.bench.set_busy(busy)
        panels.calibration.set_ready(connected, busy, kind == "calibration")
        panels.training.set_ready(connected, busy, kind == "training" and not self._asked)
        panels.generate.set_ready(connected, busy, kind == "generation")
        panels.runs.set_ready(connected, busy)
        panels.slm.set_busy(self._reason_not_ready())
        panels.live.show_state(self.bench, busy)
        self.state_changed.emit()

    def _reason_not_ready(self) -> str:
        """Return why no pattern can be shown now; "" if one can."""
        if not self.bench.devices:
            return "Connect a bench first."
        return f"The bench is busy: {self.job.kind}." if self.busy else ""

    def _show_stage(self, stage: str) -> None:
        panels = self._panels
        panels.log.add(stage)
        self.progress.begin_stage(stage)
        if self.job.kind == "training":
            panels.training.begin_stage(stage)
        if stage in ROUTINE_TITLES:
            panels.calibration.begin_routine(stage)

    def _show_calibration_step(
        self, step: AlignmentStep | CalibrationStep, picture: Picture | None
    ) -> None:
        panels = self._panels
        done = step.step + 1 if isinstance(step, AlignmentStep) else step.index + 1
        self.progress.advance(done, step.total)
        panels.calibration.show_step(step, picture)
        if self.job.kind == "calibration":
            return
        if isinstance(step, AlignmentStep):
            panels.training.show_alignment(step)
        else:
            message = f"{step.routine}: {step.message}"
            panels.training.show_progress(step.index, step.total, message)

    def _show_calibrated(self, event: Calibrated) -> None:
        self._panels.calibration.show_result(event.routine, event.result)
        verdict = event.result.verdict
        self._panels.log.add(f"{event.routine}: {verdict.level}, {verdict.reason} {verdict.remedy}")

    def _show_generation_step(self, step: GenerationStep, pictures: Mapping[str, Picture]) -> None:
        panels = self._panels
        self.progress.advance(step.step + 1, step.total)
        if "generated" in pictures:
            panels.generate.show_step(step.step, step.total, step.t, pictures["generated"])
        if self.job.kind == "training":
            panels.training.show_progress(step.step, step.total, f"t = {step.t}")

    def _show_figures(self, figures: Mapping[str, float]) -> None:
        self._panels.log.add(", ".join(f"{name} {value:.4g}" for name, value in figures.items()))

    def _show_end(self, event: JobEnded) -> None:
        panels, job = self._panels, self.job
        self.ended, self.ended_path = event, job.path
        self.progress.end()
        message = f"{event.outcome}: {event.reason}" if event.reason else event.outcome
        panels.log.add(f"{job.kind} {message}")
        match job.kind:
            case "training":
                panels.training.show_end(f"{message}; saved to {job.path}")
                panels.runs.refresh()
                self.training_ended.emit(job.path)
            case "generation":
                panels.generate.show_end(message)
            case "calibration":
                panels.calibration.show_end(message)
        # A training measures calibrations too, and may end amidst one.
        if self.bench.calibrations:
            archive = Path(self.bench.calibrations)
            panels.calibration.set_archive(archive, self.bench.patch_shape, checked=True)


def identity(state: BenchState) -> tuple[object, ...]:
    """Return what distinguishes a bench from another one; empty values if none is connected."""
    devices = tuple((device.kind, device.driver, device.name) for device in state.devices)
    shapes = state.sensor_shape, state.panel_shape, state.patch_shape
    return state.bench, state.calibrations, devices, shapes
