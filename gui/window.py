"""The main window: panels in docks, connected with the bench's process."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QMainWindow, QTabWidget

from gui import style
from gui.arrangement import Arrangement
from gui.command_log import describe
from gui.docks import put_into_docks
from gui.emergency import Emergency
from gui.event_router import EventRouter
from gui.help_sheet import ShortcutSheet
from gui.job_progress import stages_of
from gui.menus import Acts, bring_up, fill_menus
from gui.panels.panel_set import PanelSet
from gui.presets import Presets
from gui.process.bench_process import ENGINE, BenchProcess
from gui.process.ending import EndingProcesses
from gui.runs.resuming import resume_refusal
from gui.runs.run_folder import new_run_folder
from gui.screen_fit import ScreenFit, open_on_screen
from gui.scripts import Scripts
from gui.top_bar import TopBar
from gui.tour import Tour
from gui.widgets.dialogs import close_all
from gui.window_questions import ask_for_a_hand, ask_to_close
from gui.window_settings import restore_options, restore_view, store_view
from labdiff.config.bench import load_bench
from labdiff.config.training import TrainingOptions
from labdiff.engine import commands as ask
from labdiff.engine.status import HandRequested
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest

POLL_MS = 15
CLOCK_MS = 250
"""Time between two updates of seconds waited and of the time left."""
NO_SENSOR = (1, 1)
"""Shape of the frames of a process that has no camera."""


class MainWindow(QMainWindow):
    """Steers one bench in a process of its own.

    Args:
        bench: Bench file or shipped bench that is proposed.
        out: Folder of runs and recordings.
        seed: Seed of the mock laboratory that is proposed.
        settings: What the window stores from one start to the next.
        engine: Names the class that is served in the process.
    """

    def __init__(
        self, bench: str, out: Path, seed: int, settings: QSettings, engine: str = ENGINE
    ) -> None:
        super().__init__()
        self._engine, self._out, self._settings = engine, out, settings
        self._process: BenchProcess | None = None
        self._ending = EndingProcesses(self)
        self._closing = self._disconnecting = False
        self.setWindowTitle("labdiff")
        self.setObjectName("labdiff")
        open_on_screen(self, self.screen())
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        with contextlib.suppress(OSError):  # the first run will say what is wrong
            out.mkdir(parents=True, exist_ok=True)
        self.panels = PanelSet.create(bench, out, seed)
        self.router = EventRouter(self.panels)
        self.docks = put_into_docks(self, self.panels.by_title())
        self.arrangement = Arrangement(self, self.docks, settings)
        self.top = TopBar(self)
        self.setMenuWidget(self.top)
        acts = Acts(
            switch_theme=self.switch_theme,
            arrangement=self.arrangement,
            make_safe=self.make_safe,
            toggle_pause=self._toggle_pause,
            stop=self._stop,
            show_shortcuts=self.show_shortcuts,
            start_tour=self.start_tour,
        )
        fill_menus(self.top, self.docks, acts)
        self._connect_panels()
        self._scripts = Scripts(self, out)
        self._presets = Presets(self.panels, self.router, self.send, self._show_notice)
        self._screen_fit = ScreenFit(self)
        self._restore()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._timer.start(POLL_MS)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show_times)
        self._clock.start(CLOCK_MS)

    def _connect_panels(self) -> None:
        panels, router = self.panels, self.router
        self._emergency = Emergency(self.top.safe, self.make_safe)
        router.state_changed.connect(self._show_status)
        router.error.connect(self._show_notice)
        router.hand_requested.connect(self._ask_for_a_hand)
        router.training_ended.connect(lambda path: self._settings.setValue("run", path))
        bench = panels.bench
        bench.connect_wanted.connect(self.connect_bench)
        bench.disconnect_wanted.connect(self.disconnect_bench)
        bench.cancel_wanted.connect(self.cancel_connecting)
        bench.exposure_wanted.connect(lambda ms: self.send(ask.SetExposure(ms)))
        bench.power_wanted.connect(lambda mw: self.send(ask.SetPower(mw)))
        bench.input_wanted.connect(lambda field, name: self.send(ask.ShowInput(field, name)))
        bench.emission_wanted.connect(lambda on: self.send(ask.SetEmission(on)))
        panels.live.command_wanted.connect(self.send)
        panels.live.view.recording_ended.connect(panels.log.add)
        panels.live.view.frame_described.connect(bench.show_frame)
        panels.slm.command_wanted.connect(self.send)
        calibration = panels.calibration
        calibration.check_wanted.connect(lambda: self.send(ask.Calibrate(check=True)))
        calibration.stale_wanted.connect(lambda: self.send(ask.Calibrate()))
        calibration.all_wanted.connect(lambda: self.send(ask.Calibrate(everything=True)))
        calibration.chosen_wanted.connect(lambda names: self.send(ask.Calibrate(names)))
        calibration.stop_wanted.connect(self._stop)
        panels.training.train_wanted.connect(self._train)
        panels.training.resume_wanted.connect(self._resume)
        panels.training.pause_wanted.connect(self._pause)
        panels.training.stop_wanted.connect(self._stop)
        panels.generate.generate_wanted.connect(self.generate)
        panels.generate.stop_wanted.connect(self._stop)
        panels.runs.resume_wanted.connect(self._resume)
        panels.runs.generate_wanted.connect(self._generate_from)
        panels.runs.layers_shown.connect(panels.slm.set_layer_sets)
        for panel in (panels.generate, panels.runs):
            panel.reported.connect(panels.log.add)
            panel.problem.connect(self._show_notice)

    # What the user asks

    @property
    def busy(self) -> bool:
        """True while a job runs or is paused."""
        return self.router.busy

    def connect_bench(self, bench: str, seed: int, monitor: str = "", number: int = 0) -> None:
        """Open a bench in a process of its own.

        Args:
            bench: Bench file or shipped bench.
            seed: Seed of a mock laboratory.
            monitor: Address of the monitor that is the SLM, instead of the bench file's; "" for that.
            number: By which the outcome is reported to who asked; 0 for nobody.
        """
        if self.busy:
            self._show_notice(f"a {self.router.job.kind} runs; stop it before a bench is connected")
            return
        try:
            config = load_bench(bench)
        except UserError as error:
            self._show_notice(str(error))
            return
        self._let_process_end()
        self._process = BenchProcess(config.camera.used_shape, self._engine)
        self.panels.live.start(self._process.frames)
        self._settings.setValue("bench", bench)
        self._settings.setValue("seed", seed)
        self.panels.bench.show_connecting(1, "starting the bench's process")
        self.send(ask.Connect(bench, seed, slm_address=monitor or None), number)

    def cancel_connecting(self) -> None:
        """Stop connecting at once; the process ends beside the window, laser off first."""
        self._let_process_end()
        self.panels.log.add("connecting was cancelled")
        self.panels.bench.show_failed()

    def _let_process_end(self) -> None:
        """Let a process that has no bench open end beside the window, which does not wait for it."""
        process, self._process = self._process, None
        if process is not None:
            self.router.reset()
            self._ending.add(process)

    def disconnect_bench(self) -> None:
        """Let the process leave the bench safe and end."""
        self._disconnecting = True
        self.panels.bench.show_disconnecting()
        self.send(ask.Quit())

    def close_process(self) -> None:
        """End the bench's process, if there is one, and free its memory."""
        process, self._process = self._process, None
        if process is not None:
            self.router.reset()  # the live view lets go of the memory before it is freed
            process.close()

    def send_safe(self) -> None:
        """Switch the laser off at once; may be called from any thread."""
        process = self._process
        if process is not None:
            process.make_safe()

    def end(self) -> None:
        """Close without a question, as the system wants it: the bench is left safe first."""
        self._closing = True
        self._close_anyway()

    def make_safe(self) -> None:
        """Switch the laser off at once; then the job ends and the SLM shows a flat pattern."""
        self._make_safe()
        self.panels.bench.withdraw_questions()

    def _make_safe(self) -> None:
        if self._process is None:
            self.panels.log.add("safe state: no bench is connected")
        elif self._process.make_safe():
            self.panels.log.add("safe state: the laser is switched off, then the SLM is made flat")
        else:
            self._show_notice(
                "The bench's process has ended: the laser may be ON; switch it off by hand"
            )

    def generate(self, request: GenerationRequest, number: int = 0) -> None:
        """Ask for images; on the digital twin no bench has to be connected."""
        if self._process is None and request.where == "twin":
            self._process = BenchProcess(NO_SENSOR, self._engine)
        self.send(ask.Generate(request), number)

    def serve(self, port: int) -> None:
        """Answer scripts at a port of the loopback. Raises UserError if nothing can listen there."""
        self._scripts.serve(port)

    def send(self, command: ask.Command, number: int = 0) -> bool:
        """Send a command to the engine; return False, with a notice, if there is none."""
        if line := describe(command):
            self.panels.log.add(line)
        if stages := stages_of(command):
            self.router.progress.begin(stages)
        sent = ask.Requested(number, command) if number else command
        if self._process is not None and self._process.ask(sent):
            return True
        self._show_notice("no bench is connected; choose one and connect")
        return False

    def _train(self, options: TrainingOptions, layers: Path | None) -> None:
        self._settings.setValue("options", options.model_dump_json())
        self.send(ask.Train(options, new_run_folder(self._out), layers))

    def _resume(self, path: Path) -> None:
        """Resume a run, with its own options, if that can be done now."""
        refusal = resume_refusal(path, bool(self.router.bench.devices), self.busy)
        if refusal:
            self._show_notice(f"not resumed: {refusal}")
            return
        self.panels.log.add(f"resume: {path}")
        self.send(ask.Train(TrainingOptions(), new_run_folder(self._out), resume=path))
        bring_up(self.docks["Training"])

    def _generate_from(self, path: Path) -> None:
        self.panels.generate.set_source(path)
        bring_up(self.docks["Generate"])

    def _pause(self, on: bool) -> None:
        self.router.acknowledge("pausing" if on else "continuing")
        self.send(ask.Pause() if on else ask.Resume())

    def _toggle_pause(self) -> None:
        if self.busy:
            self._pause(self.router.job.state != "paused")

    def _stop(self) -> None:
        if self.busy:
            self.router.acknowledge("stopping")
            self.send(ask.Stop())

    def switch_theme(self) -> None:
        """Change from the dark theme to the light one, or back."""
        self._settings.setValue("theme", style.switch().name)

    def show_shortcuts(self) -> None:
        """Show the sheet of keyboard shortcuts."""
        ShortcutSheet(self.findChildren(QAction), self).show()

    def start_tour(self) -> None:
        """Show what to do first, on the mock bench."""
        Tour(self, self.docks).start()

    # What the bench's process reports

    def _poll(self) -> None:
        process = self._process
        if process is None:
            return
        for report in process.poll():
            self.router.route(report.event, process.pictures_of(report))
        self.router.redraw()
        if not process.alive:
            self._show_lost(process)

    def _ask_for_a_hand(self, request: HandRequested) -> None:
        """Ask the person at the bench; what is not confirmed counts as not done."""

        def answer(done: bool) -> None:
            if self._process is not None:
                self._process.ask(ask.HandDone(request.number, done))

        self.panels.log.add(f"by hand: {request.device}: {request.act}")
        ask_for_a_hand(self, request, answer)

    def _show_status(self) -> None:
        self.top.bench_status.setText(self.router.bench_status())
        self.top.job_status.setText(self.router.job_status())
        self.setWindowTitle(self.router.window_title())

    def _show_times(self) -> None:
        """Show how long what was asked takes, and how far the job is."""
        self.top.job_status.setText(self.router.job_status())
        self.panels.bench.show_waiting()
        progress = self.router.progress
        if self.busy:
            self.top.show_progress(progress.fraction, progress.describe())
        else:
            self.top.show_progress(None)

    def _show_lost(self, process: BenchProcess) -> None:
        """Say that the bench's process has ended by itself, and be ready for another."""
        code, job = process.exit_code, self.router.job
        self.close_process()
        disconnecting, self._disconnecting = self._disconnecting, False
        if self._closing:
            self.close()
            return
        if disconnecting and code == 0:
            self.panels.log.add("disconnected; the laser is off and the SLM flat")
            return
        saved = f" What was recorded is saved: {job.path}." if job.path else ""
        self._show_notice(
            f"The bench's process has ended (code {code}).{saved} The laser may still be on: check it, "
            "then connect again."
        )
        self.panels.training.show_end("the bench's process has ended")

    def _show_notice(self, message: str, details: str = "") -> None:
        self.panels.log.add(message)
        self.top.notice.show_notice(message, details)
        if not self.router.bench.devices:
            self.panels.bench.show_failed()

    def _restore(self) -> None:
        restore_view(self._settings, self, self.panels.live.view)
        self.arrangement.restore()
        restore_options(self._settings, self.panels.training.form, self.panels.log.add)
        run = self._settings.value("run")
        if isinstance(run, str):
            self.panels.runs.choose(Path(run))

    def _store(self) -> None:
        self.arrangement.store()
        store_view(self._settings, self, self.panels.live.view)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask whether to close while a job runs; then leave the bench safe first."""
        if self.busy and not self._closing:
            ask_to_close(self, self.router.job, self._close_anyway)
            event.ignore()
            return
        self._store()
        if self.panels.bench.connecting:
            self.cancel_connecting()  # it closes at once; the process ends meanwhile
        if self._process is None or not self._process.alive:
            self._scripts.close()
            self.hide()  # at once, also where a process takes its time to end
            self._ending.close()
            self.panels.live.view.finish_recordings()
            self.panels.runs.close()
            close_all(self)
            event.accept()
            return
        event.ignore()
        if not self._closing:
            self._leave()

    def _close_anyway(self) -> None:
        if self._process is None or not self._process.alive:
            self.close()
            return
        self._store()
        self._leave()

    def _leave(self) -> None:
        """Leave the bench safe; the window closes when its process has ended."""
        if self._process is not None:
            self._closing = True
            self.panels.log.add("closing: laser off, SLM flat ...")
            self.top.job_status.setText("closing ...")
            self._process.ask(ask.Quit())
