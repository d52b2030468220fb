"""The main window: panels in docks, connected with the bench's process."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenuBar,
    QMessageBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from calibration.step import CalibrationStep
from gui import style
from gui.docks import SideRoom, put_into_docks
from gui.help_sheet import ShortcutSheet
from gui.panels.bench_panel import BenchPanel
from gui.panels.calibration_panel import CalibrationPanel
from gui.panels.generate_panel import GeneratePanel
from gui.panels.live_panel import LivePanel
from gui.panels.log_panel import LogPanel
from gui.panels.runs_panel import RunsPanel
from gui.panels.slm_panel import SlmPanel
from gui.panels.training_panel import TrainingPanel
from gui.process.bench_process import ENGINE, BenchProcess, Told
from gui.tour import Tour
from gui.widgets.notice_bar import NoticeBar
from gui.widgets.safe_button import SafeButton
from gui.window_settings import LAYOUT_VERSION, fill_options, keep, restore
from labdiff.calibrations.names import ROUTINE_TITLES
from labdiff.config.bench import load_bench
from labdiff.config.training import TrainingOptions
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState, ErrorReport, JobState, LayerSets, PatternDisplayed
from labdiff.errors import UserError
from labdiff.events import (
    AlignmentStep,
    Calibrated,
    GenerationStep,
    JobEnded,
    Measured,
    StageStarted,
    TrainingStep,
    ValidityChecked,
)
from labdiff.generation.request import GenerationRequest

POLL_MS = 15
NO_SENSOR = (1, 1)
REDRAW_S = 0.2


class MainWindow(QMainWindow):
    """Steers one bench in a process of its own; `engine` names what is served there."""

    def __init__(
        self, bench: str, out: Path, seed: int, settings: QSettings, engine: str = ENGINE
    ) -> None:
        super().__init__()
        self._engine, self._out, self._settings = engine, out, settings
        self._process: BenchProcess | None = None
        self._job = JobState("", "idle")
        self._bench = BenchState("", (), False, False)
        self._drawn_s = 0.0
        self._dirty = self._closing = self._leaving = False
        self.setWindowTitle("labdiff")
        self.setObjectName("labdiff")
        self.resize(1480, 920)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.bench_panel = BenchPanel(bench, seed)
        self.live = LivePanel(out)
        self.slm = SlmPanel()
        self.calibration = CalibrationPanel()
        self.training = TrainingPanel()
        self.generate = GeneratePanel()
        with contextlib.suppress(OSError):  # the first run will say what is wrong
            out.mkdir(parents=True, exist_ok=True)
        self.runs = RunsPanel(out)
        self.log = LogPanel()
        self.notice = NoticeBar()
        self.docks: dict[str, QDockWidget] = {}
        self._build_docks()
        self._build_top()
        self._build_menus()
        self._connect_panels()
        self._default_layout = self.saveState(LAYOUT_VERSION)
        self._side_room = SideRoom(self, self.docks)
        self._restore()
        if self._settings.value("layout") is not None:
            self._side_room.forget()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._timer.start(POLL_MS)

    # What is where

    def _build_docks(self) -> None:
        panels: dict[str, QWidget] = {
            "Bench": self.bench_panel,
            "Live": self.live,
            "SLM": self.slm,
            "Calibration": self.calibration,
            "Training": self.training,
            "Generate": self.generate,
            "Runs": self.runs,
            "Log": self.log,
        }
        self.docks = put_into_docks(self, panels)

    def _build_top(self) -> None:
        """Menus, the safe state and notices: above all docks, wherever these are moved."""
        self.safe = SafeButton()
        self.safe.clicked.connect(self.make_safe)
        self.bench_words = QLabel("no bench")
        self.bench_words.setObjectName("bench_words")
        self.job_words = QLabel("")
        self.job_words.setObjectName("job_words")
        self.menus = QMenuBar()
        line = QHBoxLayout()
        line.setContentsMargins(6, 2, 10, 4)
        for widget in (self.safe, self.bench_words):
            line.addWidget(widget)
        line.addStretch(1)
        line.addWidget(self.job_words)
        top = QWidget()
        layout = QVBoxLayout(top)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.menus)
        layout.addLayout(line)
        layout.addWidget(self.notice)
        self.setMenuWidget(top)

    def _build_menus(self) -> None:
        view = self.menus.addMenu("&View")
        for number, (title, dock) in enumerate(self.docks.items(), 1):
            view.addAction(dock.toggleViewAction())
            self._action(view, f"Go to {title}", f"Ctrl+{number}", lambda d=dock: _bring_up(d))
        view.addSeparator()
        self._action(view, "Light or dark", "Ctrl+T", self.switch_theme)
        self._action(view, "Reset layout", "", self.reset_layout)
        bench = self.menus.addMenu("&Bench")
        self._action(bench, "Safe state", "F12", self.make_safe)
        self._action(bench, "Pause or go on", "Ctrl+P", self._toggle_pause)
        self._action(bench, "Stop and keep", "Ctrl+.", self._stop)
        helps = self.menus.addMenu("&Help")
        self._action(helps, "Keyboard shortcuts", "F1", self.show_shortcuts)
        self._action(helps, "Tour", "", self.start_tour)

    def _action(self, menu: Any, words: str, keys: str, act: Any) -> QAction:
        action = QAction(words, self)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _=False: act())
        menu.addAction(action)
        return action

    def _connect_panels(self) -> None:
        bench = self.bench_panel
        bench.connect_wanted.connect(self.connect_bench)
        bench.disconnect_wanted.connect(self.disconnect_bench)
        bench.exposure_wanted.connect(lambda ms: self._ask(ask.SetExposure(ms)))
        bench.power_wanted.connect(lambda mw: self._ask(ask.SetPower(mw)))
        bench.emission_wanted.connect(lambda on: self._ask(ask.SetEmission(on)))
        self.live.live_wanted.connect(lambda on: self._ask(ask.SetLive(on)))
        self.live.roi_wanted.connect(lambda roi: self._ask(ask.SetRoi(roi)))
        self.slm.pattern_wanted.connect(lambda phase: self._ask(ask.ShowPhase(phase)))
        self.slm.flat_wanted.connect(lambda: self._ask(ask.ShowPhase(None)))
        self.calibration.look_wanted.connect(lambda: self._ask(ask.Calibrate(check=True)))
        self.calibration.stale_wanted.connect(lambda: self._ask(ask.Calibrate()))
        self.calibration.all_wanted.connect(lambda: self._ask(ask.Calibrate(everything=True)))
        self.calibration.chosen_wanted.connect(lambda names: self._ask(ask.Calibrate(names)))
        self.calibration.stop_wanted.connect(self._stop)
        self.training.train_wanted.connect(self._train)
        self.training.pause_wanted.connect(self._pause)
        self.training.stop_wanted.connect(self._stop)
        self.generate.generate_wanted.connect(self._generate)
        self.generate.stop_wanted.connect(self._stop)
        self.runs.resume_wanted.connect(lambda path: self._train(TrainingOptions(), None, path))
        self.runs.generate_wanted.connect(self._generate_with)
        for panel in (self.generate, self.runs):
            panel.said.connect(self.log.say)
            panel.trouble.connect(self._notice)
        self.runs.layers_shown.connect(self.slm.set_layer_sets)
        self.live.view.noticed.connect(self.log.say)

    # What the user asks

    @property
    def busy(self) -> bool:
        """True while a job runs or rests."""
        return self._job.state != "idle"

    def connect_bench(self, bench: str, seed: int, monitor: str = "") -> None:
        """Open a bench in a process of its own."""
        try:
            config = load_bench(bench)
        except UserError as error:
            self._notice(str(error))
            return
        self.let_go()
        self._process = BenchProcess(config.camera.shape, self._engine)
        self.live.watch(self._process.frames)
        self._settings.setValue("bench", bench)
        self._settings.setValue("seed", seed)
        self._ask(ask.Connect(bench, seed, slm_address=monitor or None))

    def disconnect_bench(self) -> None:
        """Let the process leave the bench safe and end."""
        self._leaving = True
        self._ask(ask.Quit())

    def let_go(self) -> None:
        """End the bench's process, if there is one, and give its memory back."""
        if self._process is not None:
            self.live.leave("The bench is not connected")
            self._process.close()
            self._process = None

    def make_safe(self) -> None:
        """Laser off at once; then the job ends and the SLM is flat."""
        if self._process is not None:
            self._process.ask(ask.SafeState())
            self.log.say("safe state: laser off, SLM flat")

    def _ask(self, command: ask.Command) -> None:
        if self._process is None or not self._process.ask(command):
            self._notice("no bench is connected; choose one and connect")

    def _train(self, options: TrainingOptions, layers: Path | None, resume: Path | None) -> None:
        number = 1
        while (self._out / f"gui-{number}" / "run.h5").exists():
            number += 1
        folder = self._out / f"gui-{number}"
        self._settings.setValue("options", options.model_dump_json())
        self._ask(ask.Train(options, folder, layers, resume))

    def _generate(self, request: GenerationRequest) -> None:
        if self._process is None and request.where == "twin":
            self._process = BenchProcess(NO_SENSOR, self._engine)  # the twin needs no bench
        self._ask(ask.Generate(request))

    def _generate_with(self, path: Path) -> None:
        self.generate.set_source(path)
        _bring_up(self.docks["Generate"])

    def _pause(self, on: bool) -> None:
        self._ask(ask.Pause() if on else ask.Resume())

    def _toggle_pause(self) -> None:
        if self.busy:
            self._pause(self._job.state != "paused")

    def _stop(self) -> None:
        if self.busy:
            self._ask(ask.Stop())

    def switch_theme(self) -> None:
        """From dark to light, or back."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        chosen = style.LIGHT if style.theme() is style.DARK else style.DARK
        style.apply(app, chosen)
        self._settings.setValue("theme", chosen.name)

    def reset_layout(self) -> None:
        """All panels where they are at the first start."""
        self.restoreState(self._default_layout, LAYOUT_VERSION)
        self._side_room.begin_anew()
        for dock in self.docks.values():
            dock.show()
        _bring_up(self.docks["Live"])

    def show_shortcuts(self) -> None:
        """The sheet of keys."""
        ShortcutSheet(self.findChildren(QAction), self).show()

    def start_tour(self) -> None:
        """What to do first, on the mock bench."""
        Tour(self, self.docks).start()

    # What the bench's process tells

    def _poll(self) -> None:
        process = self._process
        if process is None:
            return
        told = process.poll()
        for piece in told:
            self._take(piece, process)
        if self._dirty and time.monotonic() - self._drawn_s > REDRAW_S:
            self.training.plots.redraw()
            self._dirty, self._drawn_s = False, time.monotonic()
        if not process.alive:
            self._lost(process)

    def _take(self, told: Told, process: BenchProcess) -> None:
        pictures = process.pictures.get(told.pictures) if told.pictures is not None else None
        pictures = pictures or {}
        calibrating = self._job.kind == "calibration"
        match told.news:
            case BenchState() as state:
                self._show_bench(state)
            case JobState() as state:
                self._show_job(state)
            case ErrorReport(message=words, details=details):
                self._notice(words, details)
            case PatternDisplayed(description=words):
                if "pattern" in pictures:
                    self.slm.set_pattern(pictures["pattern"], words)
            case LayerSets():
                if "layers" in pictures:
                    self.slm.set_layer_sets(pictures["layers"])
            case StageStarted(stage=stage):
                self.log.say(stage)
                if self._job.kind == "training":
                    self.training.stage(stage)
                if stage in ROUTINE_TITLES:
                    self.calibration.stage(stage)
            case TrainingStep() as step:
                self.training.show_step(step)
                self.training.show_pictures(pictures)
                self._dirty = True
            case AlignmentStep() as step:
                self.calibration.show_step(step, pictures.get("camera"))
                if not calibrating:
                    self.training.show_alignment(step)
            case CalibrationStep() as step:
                self.calibration.show_step(step, pictures.get("camera"))
                if not calibrating:
                    note = f"{step.routine}: {step.message}"
                    self.training.show_progress(step.index, step.total, note)
            case Calibrated(routine=routine, result=result):
                self.calibration.show_found(routine, result)
                verdict = result.verdict
                self.log.say(f"{routine}: {verdict.level}, {verdict.reason} {verdict.remedy}")
            case ValidityChecked(findings=findings):
                self.calibration.show_looked(findings)
            case GenerationStep() as step:
                if "generated" in pictures:
                    self.generate.show_step(step.step, step.total, step.t, pictures["generated"])
                if self._job.kind == "training":
                    self.training.show_progress(step.step, step.total, f"t = {step.t}")
            case Measured(figures=figures):
                if {"mse_identity", "mse_wiener"} <= set(figures):
                    self.training.plots.set_baselines(
                        figures["mse_identity"], figures["mse_wiener"]
                    )
                self.log.say(", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
            case JobEnded() as ended:
                self._job_ended(ended)
            case _:
                pass

    def _show_bench(self, state: BenchState) -> None:
        was, self._bench = self._bench, state
        self.bench_panel.show_state(state)
        if state.devices and (not was.devices or was.calibrations != state.calibrations):
            self.calibration.set_archive(Path(state.calibrations), state.patch_shape)
            self.slm.set_bench(state.panel_shape, state.wavelength_nm, state.pixel_pitch_um)
        self._ready()

    def _show_job(self, state: JobState) -> None:
        was, self._job = self._job, state
        if state.state == "running" and was.state == "idle":
            self.log.say(f"{state.kind} started {state.path}".rstrip())
            if state.kind == "calibration":
                self.calibration.begin()
            elif state.kind == "training":
                self.training.begin(state.path)
            elif state.kind == "generation":
                self.generate.begin()
        if state.kind == "training":
            self.training.paused(state.state == "paused")
        words = "" if state.state == "idle" else f"{state.kind} {state.state}"
        self.job_words.setText(words)
        self._ready()

    def _ready(self) -> None:
        connected, busy, kind = bool(self._bench.devices), self.busy, self._job.kind
        self.bench_words.setText(self._light_words())
        self.bench_panel.set_busy(busy)
        self.calibration.set_ready(connected, busy, kind == "calibration")
        self.training.set_ready(connected, busy, kind == "training")
        self.generate.set_ready(connected, busy, kind == "generation")
        self.slm.set_busy(self._why_not())
        self.live.show_state(self._bench, busy)

    def _light_words(self) -> str:
        """Bench and laser. While a job has the bench nobody asks the laser: it has to be taken as on."""
        if not self._bench.devices:
            return "no bench"
        light = "laser on" if self._bench.emission else "laser off"
        if self.busy:
            light = "laser in use by the job"
        return f"{self._bench.bench}: {light}"

    def _why_not(self) -> str:
        """Why no pattern can be shown now; "" if one can."""
        if not self._bench.devices:
            return "Connect a bench first."
        return f"The bench is busy: {self._job.kind}." if self.busy else ""

    def _job_ended(self, ended: JobEnded) -> None:
        kind, path = self._job.kind, self._job.path
        words = f"{ended.outcome}: {ended.reason}" if ended.reason else ended.outcome
        self.log.say(f"{kind} {words}")
        if kind == "training":
            self.training.ended(f"{words}; kept at {path}")
            self._settings.setValue("run", path)
            self.runs.refresh()
        elif kind == "generation":
            self.generate.ended(words)
        elif kind == "calibration":
            self.calibration.ended(words)
        if kind == "calibration" and self._bench.calibrations:
            archive = Path(self._bench.calibrations)
            self.calibration.set_archive(archive, self._bench.patch_shape, looked=True)

    def _lost(self, process: BenchProcess) -> None:
        """The bench's process has ended by itself: say so, and be ready for another."""
        code = process.exit_code
        self.let_go()
        ran = self._job
        self._show_job(JobState("", "idle"))
        self._show_bench(BenchState("", (), False, False))
        leaving, self._leaving = self._leaving, False
        if self._closing:
            self.close()
            return
        if leaving and code == 0:
            self.log.say("disconnected; the laser is off and the SLM flat")
            return
        kept = f" What was recorded is kept: {ran.path}." if ran.path else ""
        self._notice(
            f"The bench's process has ended (code {code}).{kept} The laser may still be on: check it, "
            "then connect again."
        )
        self.training.ended("the bench's process has ended")

    def _notice(self, words: str, details: str = "") -> None:
        self.log.say(words)
        self.notice.tell(words, details)
        if not self._bench.devices:
            self.bench_panel.failed()

    # Kept from one start to the next

    def _restore(self) -> None:
        restore(self._settings, self, self.live.view)
        fill_options(self._settings, self.training.form, self.log.say)
        run = self._settings.value("run")
        if isinstance(run, str):
            self.runs.choose(Path(run))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when busy; then leave the bench safe first."""
        if self.busy and not self._closing:
            question = "A job is running. Stop it, keep what was recorded, and close?"
            if QMessageBox.question(self, "labdiff", question) != QMessageBox.StandardButton.Yes:
                event.ignore()
                return
        keep(self._settings, self, self.live.view)
        if self._process is None or not self._process.alive:
            self.live.view.finish_recordings()
            self.runs.close()
            event.accept()
            return
        event.ignore()
        if not self._closing:
            self._closing = True
            self.log.say("closing: laser off, SLM flat ...")
            self._process.ask(ask.Quit())


def _bring_up(dock: QDockWidget) -> None:
    dock.show()
    dock.raise_()
    widget = dock.widget()
    if widget is not None:
        widget.setFocus()
