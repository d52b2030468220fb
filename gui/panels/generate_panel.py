"""Generation: what to ask for, and the images as they form out of noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.plots.export import write_export
from gui.widgets.background import Background
from gui.widgets.denoising_view import DenoisingView
from gui.widgets.dialogs import choose_file, choose_new_file
from gui.widgets.image_files import gif_of, png_of
from gui.widgets.image_grid import Images
from gui.widgets.job_bar import JobBar
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.plain_label import PlainLabel
from labdiff.config.training import SAMPLER, TrainingOptions
from labdiff.generation.request import STRONGEST_GUIDANCE, GenerationRequest
from labdiff.session.layer_options import options_of_layers

FILTERS = {"png": "PNG picture (*.png)", "gif": "GIF animation (*.gif)"}
ANY = "any"
ALL_CLASSES = range(10)
"""Classes offered where a file names none: it was trained with all classes of its data."""
MOST_IMAGES = 1000
HINT = "Layers turn noise into images: on the digital twin at once, on the bench when one is connected."
STEPS = next(option for option in SAMPLER.options if option.name == "sampler_steps")
WHERE: dict[str, Literal["twin", "bench"]] = {"digital twin": "twin", "bench": "bench"}


class GeneratePanel(QWidget):
    """Asks for images, shows them, and saves them.

    Attributes:
        generate_wanted: Emitted with the GenerationRequest.
        stop_wanted: Emitted when the job is to be stopped.
        reported: Emitted with a message when a file was saved.
        problem: Emitted with a message when something went wrong; it is shown here too.
    """

    generate_wanted = Signal(object)
    stop_wanted = Signal()
    reported = Signal(str)
    problem = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("generate_panel")
        self._connected = self._busy = self._generating = False
        self._asks_bench = self._measured = False
        self._folder = Path.cwd()
        self._background = Background(self)
        self.view = DenoisingView("generate_images")
        self.source = QLineEdit()
        self.source.setPlaceholderText("pretrained layers")
        self.source.editingFinished.connect(self._read_source)
        self.browse = QToolButton()
        self.browse.clicked.connect(self._browse)
        self.where = QComboBox()
        self.where.addItems(list(WHERE))
        self.count = CountField("generate_count", 16, 1, MOST_IMAGES, "images")
        self.steps = CountField("generate_steps", 0, 0, int(STEPS.high or 0), "steps")
        self.steps.set_special("as trained")
        self.seed = CountField("generate_seed", 0, 0, 2**31 - 1)
        self.label = QComboBox()
        self.guidance = NumberField("generate_guidance", 1.0, 0.0, STRONGEST_GUIDANCE, step=0.5)
        self._numbers: tuple[tuple[str, NumberField], ...] = (
            ("Count", self.count),
            ("Steps", self.steps),
            ("Seed", self.seed),
            ("Guidance", self.guidance),
        )
        self.start_button = QPushButton("Generate")
        self.stop_button = QPushButton("Stop")
        self.save_buttons = {kind: QPushButton(f"Save {kind.upper()} ...") for kind in FILTERS}
        self.progress = JobBar()
        self.message = PlainLabel(HINT)
        self._name()
        self._lay_out()
        self.label.currentTextChanged.connect(self._allow)
        self.where.currentTextChanged.connect(self._allow)
        self.start_button.clicked.connect(self._ask)
        self.stop_button.clicked.connect(self.stop_wanted)
        for kind, button in self.save_buttons.items():
            button.clicked.connect(self._saver(kind))
        style.style.changed.connect(self._paint)
        self._paint()
        self._offer_classes(None)
        self._read_source()

    def set_source(self, path: Path | None) -> None:
        """Choose the layers: those of a run file or a layer file; the pretrained ones if None."""
        self.source.setText("" if path is None else str(path))
        self._read_source()

    def set_ready(self, connected: bool, busy: bool, generating: bool) -> None:
        """Enable what can be asked for now.

        Args:
            connected: A bench is open.
            busy: A job uses it.
            generating: The job is a generation.
        """
        self._connected, self._busy, self._generating = connected, busy, generating
        if busy and not generating:
            self.message.setText("Another job runs; stop it first.")
        elif not self.view.moments and not generating:
            self.message.setText(HINT)
        self._allow()

    def reset(self) -> None:
        """Forget the images that the last bench has measured; those of the digital twin stay."""
        if self._measured:
            self.view.clear()
            self._measured = False
        self.progress.setRange(0, 1)
        self.progress.reset()
        self.set_ready(connected=False, busy=False, generating=False)

    def begin(self) -> None:
        """Show that a generation starts."""
        self.view.clear()
        self._measured = self._asks_bench
        self.progress.setRange(0, 0)
        self.message.setText("from noise ...")
        self._allow()

    def show_step(self, step: int, total: int, t: int, images: Images) -> None:
        """Show one denoising step.

        Args:
            step: Number of the step, from 0.
            total: Number of steps.
            t: Timestep that was reached.
            images: (B, H, W) in -1 ... 1; they are copied.
        """
        self.view.add(t, images)
        self.progress.setRange(0, total)
        self.progress.setValue(step + 1)
        self.message.setText(f"t = {t}")
        self._allow()

    def show_end(self, message: str) -> None:
        """Show how the generation has ended."""
        self.progress.setRange(0, 1)
        self.progress.reset()
        self.message.setText(message)
        self._allow()

    def request(self) -> GenerationRequest:
        """Return the request that the form describes."""
        label = self.label.currentText().strip()
        asked = int(label) if self.label.isEnabled() and label.isdecimal() else None
        steps = self.steps.value()
        return GenerationRequest(
            path=self._path(),
            count=self.count.value(),
            where=WHERE[self.where.currentText()],
            seed=self.seed.value(),
            label=asked,
            guidance=1.0 if asked is None else self.guidance.value(),
            sampler={"sampler_steps": steps} if steps else {},
        )

    def _path(self) -> Path | None:
        text = self.source.text().strip()
        return Path(text) if text else None

    def _name(self) -> None:
        for name, widget, tip in (
            (
                "source",
                self.source,
                "A run file or a layer file; empty for the pretrained layers",
            ),
            ("browse", self.browse, "Choose a run file or a layer file"),
            ("where", self.where, "Computed by the digital twin, or measured on the bench"),
            ("count", self.count, "Number of images"),
            ("steps", self.steps, STEPS.description),
            (
                "seed",
                self.seed,
                "Seed of the noise: the same seed gives the same images on the twin",
            ),
            ("class", self.label, ""),
            ("guidance", self.guidance, "Weight of the class asked for; 1: as trained"),
            ("start", self.start_button, "Turn noise into images"),
            ("stop", self.stop_button, "Stop at the step that was reached"),
            ("png", self.save_buttons["png"], "Save the images in view as a picture"),
            ("gif", self.save_buttons["gif"], "Save all steps, from noise to images"),
            ("progress", self.progress, ""),
            ("message", self.message, ""),
        ):
            widget.setObjectName(f"generate_{name}")
            widget.setToolTip(tip)

    def _lay_out(self) -> None:
        source = QHBoxLayout()
        source.addWidget(self.source, 1)
        source.addWidget(self.browse)
        form = QFormLayout()
        form.addRow("Layers of", source)
        form.addRow("Computed on", self.where)
        for label, widget in (
            ("Count", self.count),
            ("Steps", self.steps),
            ("Seed", self.seed),
            ("Class", self.label),
            ("Guidance", self.guidance),
        ):
            form.addRow(label, widget)
        acts = QHBoxLayout()
        acts.addWidget(self.start_button)
        acts.addWidget(self.stop_button)
        saves = QHBoxLayout()
        for button in self.save_buttons.values():
            saves.addWidget(button)
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addLayout(acts)
        column.addWidget(self.progress)
        column.addWidget(self.message)
        column.addStretch(1)
        column.addLayout(saves)
        split = QSplitter()
        split.setObjectName("generate_split")
        split.setChildrenCollapsible(False)
        split.addWidget(side)
        split.addWidget(self.view)
        split.setStretchFactor(1, 1)
        QVBoxLayout(self).addWidget(split)
        self.progress.setRange(0, 1)
        self.label.setEditable(True)
        self.label.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)

    def _allow(self) -> None:
        on_twin = WHERE[self.where.currentText()] == "twin"
        self.start_button.setEnabled(not self._busy and (on_twin or self._connected))
        self.start_button.setToolTip(
            "Turn noise into images"
            if on_twin or self._connected
            else "Connect a bench first, or compute on the digital twin"
        )
        self.stop_button.setEnabled(self._generating)
        has_class = self.label.isEnabled() and self.label.currentText().strip().isdecimal()
        self.guidance.setEnabled(has_class)
        for kind, button in self.save_buttons.items():
            button.setEnabled(len(self.view.moments) > (kind == "gif"))

    def _ask(self) -> None:
        refusal = self._refusal()
        if refusal:
            self._fail(f"{refusal}. Nothing was started.")
        else:
            request = self.request()
            self._asks_bench = request.where == "bench"
            self.generate_wanted.emit(request)

    def _refusal(self) -> str:
        """Return which field is not understood, and why; "" if all are."""
        for label, field in self._numbers:
            if field.isEnabled() and not field.commit():
                return f"{label}: {field.refusal}"
        asked = self.label.currentText().strip()
        if self.label.isEnabled() and asked != ANY and not asked.isdecimal():
            return f"Class: '{asked}' is no class. Allowed: {ANY}, or a number such as 3"
        return ""

    def _read_source(self) -> None:
        path = self._path()
        self._background.start(
            partial(options_of_layers, path),
            lambda options: self._offer_classes(options if path == self._path() else None),
            self._on_unreadable,
        )

    def _on_unreadable(self, message: str) -> None:
        self._offer_classes(None)
        self._fail(message)

    def _offer_classes(self, options: TrainingOptions | None) -> None:
        """Offer the classes of layers that were trained with prompts; of others none can be asked for."""
        prompts = options is not None and options.prompt
        before = self.label.currentText()
        self.label.clear()
        self.label.addItem(ANY)
        if options is not None and prompts:
            self.label.addItems([str(name) for name in options.classes or ALL_CLASSES])
            self.label.setCurrentText(before or ANY)
        self.label.setEnabled(prompts)
        self.label.setToolTip(
            "The class that is written beside the image"
            if prompts
            else "These layers were trained without prompts: no class can be asked for"
        )
        self._allow()

    def _browse(self) -> None:
        start = self._path() or self._folder
        filters = ("Run files and layer files (*.h5)", "All files (*)")
        choose_file(self, "Layers", start, filters, self.set_source)

    def _saver(self, kind: str) -> Callable[[], None]:
        return lambda: self._save(kind)

    def _save(self, kind: str) -> None:
        source = self._path()
        name = "images" if source is None else f"{source.parent.name or source.stem}-images"
        proposed = self._folder / f"{name}-seed-{self.seed.value()}.{kind}"
        # Now: while the file is chosen another generation may begin.
        moments = [images for _, images in self.view.moments]
        shown = moments[self.view.slider.value()]

        def save(path: Path) -> None:
            self._folder = path.parent

            def work() -> None:
                write_export(path, png_of(shown) if kind == "png" else gif_of(moments))

            self._background.start(work, lambda _: self._saved(path), self._fail)

        choose_new_file(self, f"Save {kind.upper()}", proposed, FILTERS[kind], save)

    def _saved(self, path: Path) -> None:
        self.message.setText(f"saved: {path}")
        self.reported.emit(f"saved: {path}")

    def _fail(self, message: str) -> None:
        self.message.setText(message)
        self.problem.emit(message)

    def _paint(self) -> None:
        colour = style.theme().text
        for button, icon in (
            (self.browse, "mdi6.folder-open-outline"),
            (self.start_button, "mdi6.creation-outline"),
            (self.stop_button, "mdi6.stop"),
            (self.save_buttons["png"], "mdi6.content-save-outline"),
            (self.save_buttons["gif"], "mdi6.file-gif-box"),
        ):
            button.setIcon(qta.icon(icon, color=colour))
