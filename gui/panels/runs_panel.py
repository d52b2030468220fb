"""Recorded runs: a list, one in detail, several compared; a growing run is followed.

Recordings of the live view are in the list too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.runs.command_process import CommandProcess
from gui.runs.evaluation_page import FIGURES, FOLDER, read_evaluation
from gui.runs.resuming import RESUMABLE
from gui.runs.run_list import RunList
from gui.runs.run_pages import RunPages
from gui.runs.run_scan import GONE, RECORDING, UNREADABLE
from gui.widgets.background import Background
from gui.widgets.plain_label import PlainLabel
from labdiff.errors import UserError
from labdiff.runs.picture_history import PictureHistory, read_history
from labdiff.runs.reader import RunFile, read_run
from labdiff.runs.summary import RunSummary

MOST_COMPARED = 8
NO_RUNS = (GONE, UNREADABLE, RECORDING)
RUN, REPORT = "run.h5", "report.html"
HINT = "Choose a run or a recording to see it; choose several runs to compare their curves."


@dataclass
class Found:
    """What was read from run files.

    Attributes:
        runs: Those that could be read.
        history: Pictures of the run, if one alone was read.
        evaluation: Page of the run's evaluation, if one alone was read and it was evaluated.
        problems: Why the others could not be read.
    """

    runs: list[RunFile] = field(default_factory=list)
    history: PictureHistory | None = None
    evaluation: str | None = None
    problems: list[str] = field(default_factory=list)


class RunsPanel(QWidget):
    """Lists run files, shows them, and has them reported on and evaluated.

    Attributes:
        resume_wanted: Emitted with the run file to resume.
        generate_wanted: Emitted with the run file whose layers are to generate images.
        layers_shown: Emitted with the layer sets of the run in view, (M, N, h, w), rad.
        reported: Emitted with a message when something was written.
        problem: Emitted with a message when something went wrong; it is shown here too.
    """

    resume_wanted = Signal(object)
    generate_wanted = Signal(object)
    layers_shown = Signal(object)
    reported = Signal(str)
    problem = Signal(str)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.setObjectName("runs_panel")
        self._reading = self._has_problem = False
        self._connected = self._busy = False
        self._shown: list[RunSummary] = []
        self._asked: Path | None = None
        self._background = Background(self)
        self._reports, self._evaluations = CommandProcess(self), CommandProcess(self)
        self._reports.done.connect(self._on_report)
        self._evaluations.done.connect(self._on_evaluation)
        for process in (self._reports, self._evaluations):
            process.failed.connect(self._on_command_failed)
            process.progress.connect(self._on_progress)
        self.list = RunList()
        self.list.chosen.connect(self._show_chosen)
        self.list.scanned.connect(self._on_scanned)
        self.list.problem.connect(self._fail)
        self.pages = RunPages(HINT)
        self.pages.reported.connect(self.reported)
        self.pages.problem.connect(self._fail)
        self.message = PlainLabel()
        self.message.setObjectName("runs_message")
        self.report_button = self._button("report", "Write the run's report beside it, and open it")
        self.evaluate_button = self._button(
            "evaluate",
            "Score the run's layers on the digital twin, at low priority: errors by timestep range, and "
            "how near generated images are to real ones",
        )
        self.resume_button = self._button("resume", "Resume this run on the bench")
        self.generate_button = self._button(
            "generate", "Generate images with the layers of this run"
        )
        self.report_button.clicked.connect(self._report)
        self.evaluate_button.clicked.connect(self._evaluate)
        self.resume_button.clicked.connect(self._ask(self.resume_wanted.emit))
        self.generate_button.clicked.connect(self._ask(self.generate_wanted.emit))
        self._lay_out()
        self._allow([])
        style.style.changed.connect(self._paint)
        self._paint()
        self.list.open_folder(folder)

    @property
    def busy(self) -> bool:
        """True while anything is being read, written or evaluated."""
        reading = self._background.busy or self.pages.recording.busy
        return self.list.busy or reading or self._reports.busy or self._evaluations.busy

    def set_ready(self, connected: bool, busy: bool) -> None:
        """Offer to resume a run only where a bench is open and no job uses it."""
        if (connected, busy) != (self._connected, self._busy):
            self._connected, self._busy = connected, busy
            self._allow(self.list.selected())

    def open_folder(self, folder: Path) -> None:
        """Show the runs below another folder."""
        self.list.open_folder(folder)

    def choose(self, path: Path) -> None:
        """Show this run as soon as it is found in the folder; nothing if it is not."""
        self._asked = path.absolute()

    def refresh(self) -> None:
        """Scan the folder at once, such as when a run has ended."""
        self.list.scan()

    def reset(self) -> None:
        """Keep the recorded runs, which belong to no open bench, and read their states anew."""
        self.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End what runs in the background."""
        self._reports.close()
        self._evaluations.close()
        super().closeEvent(event)

    def _button(self, name: str, tip: str) -> QPushButton:
        button = QPushButton(name.capitalize())
        button.setObjectName(f"runs_{name}")
        button.setToolTip(tip)
        return button

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.report_button, self.evaluate_button, self.resume_button, self.generate_button

    def _lay_out(self) -> None:
        self.message.setWordWrap(True)
        # Of two lines whatever it says, so that it moves nothing.
        self.message.setFixedHeight(2 * self.message.fontMetrics().lineSpacing())
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        acts = QHBoxLayout()
        acts.addWidget(self.message, 1)
        for button in self._buttons():
            acts.addWidget(button)
        upper = QWidget()
        layout = QVBoxLayout(upper)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addLayout(acts)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setObjectName("runs_split")
        split.setChildrenCollapsible(False)
        split.addWidget(upper)
        split.addWidget(self.pages)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 2)
        QVBoxLayout(self).addWidget(split)

    def _show_chosen(self) -> None:
        """Read what is chosen; one reading at a time, and the newest choice last."""
        chosen = self.list.selected()
        self._allow(chosen)
        if self._reading:
            return
        self._shown = chosen
        if not chosen:
            self._has_problem = False
            self.pages.show_hint(HINT)
            return
        if len(chosen) == 1 and chosen[0].outcome == RECORDING:
            self._has_problem = False
            self.pages.recording.show_file(chosen[0].path)
            self.pages.setCurrentWidget(self.pages.recording)
            return
        self.pages.recording.clear()
        self._reading = True
        readable = [run.path for run in chosen if run.outcome not in NO_RUNS]
        paths = readable[:MOST_COMPARED]
        self._background.start(lambda: _read_all(paths), self._on_read, self._on_unreadable)

    def _on_read(self, found: Found) -> None:
        self._reading = False
        if self.list.selected() != self._shown:
            self._show_chosen()
            return
        problems = found.problems
        problems += [f"{self._name(run.path)}: {run.problem}" for run in self._shown if run.problem]
        if len(self._shown) > MOST_COMPARED:
            problems.append(f"{MOST_COMPARED} of {len(self._shown)} runs are compared")
        try:
            self._show(found)
        except (ValueError, TypeError, LookupError) as error:
            # A file that another program wrote into; the browser goes on.
            problems.append(f"holds something else than labdiff records: {error}")
        self._has_problem = bool(problems)
        if problems:
            self.message.setText("; ".join(problems))
        else:
            self._show_count()

    def _show(self, found: Found) -> None:
        runs = found.runs
        if len(self._shown) == 1 and runs:
            self.pages.details.show_run(runs[0], found.history, found.evaluation)
            if (phases := runs[0].checkpoint.get("odu.phases")) is not None:
                self.layers_shown.emit(phases)
            self.pages.setCurrentWidget(self.pages.details)
        elif runs:
            tables = {self._name(run.path): run.columns.get("training", {}) for run in runs}
            self.pages.comparison.show_runs(tables)
            self.pages.comparison.name_source("runs", self.list.folder)
            self.pages.setCurrentWidget(self.pages.comparison)
        else:
            self.pages.show_hint("\n".join(found.problems))

    def _on_unreadable(self, message: str) -> None:
        self._reading = False
        self._fail(message)

    def _allow(self, chosen: list[RunSummary]) -> None:
        one = chosen[0] if len(chosen) == 1 and not chosen[0].problem else None
        if one is not None and one.outcome == RECORDING:
            one = None
        self._evaluable = one is not None
        self._ready_to_evaluate()
        self.report_button.setEnabled(one is not None)
        self.generate_button.setEnabled(one is not None)
        resumable = one is not None and one.outcome in RESUMABLE
        self.resume_button.setEnabled(resumable and self._connected and not self._busy)
        if not self._connected:
            hint = "Connect the run's bench first"
        elif self._busy:
            hint = "A job runs on the bench; stop it first"
        else:
            hint = "Resume this run on the bench" if resumable else "This run cannot be resumed"
        self.resume_button.setToolTip(hint)

    def _name(self, path: Path) -> str:
        """Return the shortest name that distinguishes runs."""
        relative = path.relative_to(self.list.folder)
        named_by_folder = relative.name == RUN and relative.parent.name
        return str(relative.parent if named_by_folder else relative)

    def _ask(self, emit: Callable[[Path], None]) -> Callable[[], None]:
        return lambda: emit(self.list.selected()[0].path)

    def _report(self) -> None:
        self.message.setText("writing the report ...")
        path = self.list.selected()[0].path
        page = path.with_name(REPORT)
        self._reports.start(["report", str(path), "--out", str(page)], page)

    def _evaluate(self) -> None:
        """Start an evaluation, or stop the one that runs."""
        if self._evaluations.busy:
            self._evaluations.close()
            self.message.setText("evaluation stopped")
        else:
            path = self.list.selected()[0].path
            folder = path.with_name(FOLDER)
            self.message.setText(f"evaluating {self._name(path)} on the twin: some minutes ...")
            self._evaluations.start(["evaluate", str(path), "--out", str(folder)], folder / FIGURES)
        self._ready_to_evaluate()

    def _ready_to_evaluate(self) -> None:
        busy = self._evaluations.busy
        self.evaluate_button.setText("Stop evaluation" if busy else "Evaluate")
        self.evaluate_button.setEnabled(busy or self._evaluable)

    def _on_evaluation(self, figures: Path) -> None:
        self._ready_to_evaluate()
        self.message.setText(f"evaluated: {figures.parent}")
        self.reported.emit(f"evaluated: {figures.parent}")
        self._show_chosen()
        self.pages.details.setCurrentWidget(self.pages.details.evaluation)

    def _on_progress(self, line: str) -> None:
        what = "evaluating" if self._evaluations.busy else "writing the report"
        self.message.setText(f"{what}: {line}")

    def _on_command_failed(self, message: str) -> None:
        self._ready_to_evaluate()
        self._fail(message)

    def _on_report(self, page: Path) -> None:
        self.message.setText(f"report: {page}")
        self.reported.emit(f"report: {page}")
        # A relative path would be no address of a file.
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.resolve()))):
            self._fail(f"{page}: written, but no browser was found to open it")

    def _on_scanned(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not self._shown:
            paths = [run.path for run in self.list.model.runs]
            self.list.select([path for path in paths if path.absolute() == asked])
        self._show_count()

    def _show_count(self) -> None:
        if self._has_problem:
            return  # what is wrong with the run in view is more important
        listed = self.list.model.runs
        recordings = sum(run.outcome == RECORDING for run in listed)
        runs = len(listed) - recordings
        message = f"{runs} runs" if runs != 1 else "1 run"
        if recordings:
            message += f", {recordings} recordings" if recordings != 1 else ", 1 recording"
        self.message.setText(message if listed else f"{self.list.folder}: no runs here yet")

    def _fail(self, message: str) -> None:
        if self.message.text() != message:  # once, and not at every scan
            self.message.setText(message)
            self.problem.emit(message)

    def _paint(self) -> None:
        colour = style.theme().text
        icons = ("file-chart-outline", "scale-balance", "play", "creation-outline")
        for button, icon in zip(self._buttons(), icons, strict=True):
            button.setIcon(qta.icon(f"mdi6.{icon}", color=colour))


def _read_all(paths: list[Path]) -> Found:
    """Return the runs that can be read, what belongs to one alone, and why the others cannot be read."""
    found = Found()
    for path in paths:
        try:
            found.runs.append(read_run(path))
            if len(paths) == 1:
                found.history = read_history(path)
                found.evaluation = read_evaluation(path)
        except UserError as error:
            found.problems.append(str(error))
    return found
