"""Images out of noise: what to ask for, and how they form."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import style
from gui.plots.export import with_suffix, write_export
from gui.widgets.background import Background
from gui.widgets.denoising_view import DenoisingView
from gui.widgets.image_files import gif_of, png_of
from gui.widgets.image_grid import Images
from gui.widgets.number_box import NumberBox
from labdiff.config.training import TrainingOptions
from labdiff.generation.request import STRONGEST_GUIDANCE, GenerationRequest
from labdiff.session.layer_options import options_of_layers

FILTERS = {"png": "PNG picture (*.png)", "gif": "GIF animation (*.gif)"}
ANY = "any"
ALL_CLASSES = range(10)
"""Offered where a file names none: it was trained with all that its data have."""
MOST_IMAGES = 1000
WHERE: dict[str, Literal["twin", "bench"]] = {"digital twin": "twin", "bench, by light": "bench"}


class GeneratePanel(QWidget):
    """generate_wanted(GenerationRequest), stop_wanted: what the user asks.

    said, trouble: what came of saving, in words; it is shown here too.
    """

    generate_wanted = Signal(object)
    stop_wanted = Signal()
    said = Signal(str)
    trouble = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("generate_panel")
        self._ready = self._mine = False
        self._folder = Path.cwd()
        self._background = Background(self)
        self.view = DenoisingView("generate_images")
        self.source = QLineEdit()
        self.source.setPlaceholderText("pretrained layers")
        self.source.editingFinished.connect(self._look_at_source)
        self.browse = QToolButton()
        self.browse.clicked.connect(self._browse)
        self.where = QComboBox()
        self.where.addItems(list(WHERE))
        self.count = NumberBox("generate_count", 16, 1, MOST_IMAGES, "images", decimals=0)
        self.steps = NumberBox("generate_steps", 0, 0, 1000, "steps", decimals=0)
        self.steps.setSpecialValueText("as trained")
        self.seed = NumberBox("generate_seed", 0, 0, 2**31 - 1, "", decimals=0)
        self.label = QComboBox()
        self.guidance = NumberBox("generate_guidance", 1, 0, STRONGEST_GUIDANCE, "", step=0.5)
        self.start_button = QPushButton("Generate")
        self.stop_button = QPushButton("Stop")
        self.save_buttons = {kind: QPushButton(f"Save {kind.upper()} ...") for kind in FILTERS}
        self.progress = QProgressBar()
        self.words = QLabel("Connect a bench; then layers turn noise into images.")
        self._name()
        self._lay_out()
        self.label.currentTextChanged.connect(self._allow)
        self.start_button.clicked.connect(self._ask)
        self.stop_button.clicked.connect(self.stop_wanted)
        for kind, button in self.save_buttons.items():
            button.clicked.connect(self._saver(kind))
        style.style.changed.connect(self._paint)
        self._paint()
        self._offer_classes(None)
        self._look_at_source()

    def set_source(self, path: Path | None) -> None:
        """Whose layers: a run file or a layer file; those that come along if None."""
        self.source.setText("" if path is None else str(path))
        self._look_at_source()

    def set_ready(self, connected: bool, busy: bool, generating: bool) -> None:
        """Whether images can be asked for; generating: what keeps the bench busy is this."""
        self._ready, self._mine = connected and not busy, generating
        if not connected:
            self.words.setText("Connect a bench; then layers turn noise into images.")
        elif busy and not generating:
            self.words.setText("The bench is busy.")
        elif not self.view.moments and not generating:
            self.words.setText("Ready.")
        self._allow()

    def begin(self) -> None:
        """Images start to form."""
        self.view.clear()
        self.progress.setRange(0, 0)
        self.words.setText("from noise ...")
        self._allow()

    def show_step(self, step: int, total: int, t: int, images: Images) -> None:
        """One denoising step; images (B, H, W) in -1 ... 1, copied."""
        self.view.add(t, images)
        self.progress.setRange(0, total)
        self.progress.setValue(step + 1)
        self.words.setText(f"t = {t}")
        self._allow()

    def ended(self, words: str) -> None:
        """How it ended."""
        self.progress.setRange(0, 1)
        self.progress.reset()
        self.words.setText(words)
        self._allow()

    def request(self) -> GenerationRequest:
        """What the form asks for."""
        label = self.label.currentText().strip()
        asked = int(label) if self.label.isEnabled() and label.isdigit() else None
        steps = int(self.steps.value())
        return GenerationRequest(
            path=self._path(),
            count=int(self.count.value()),
            where=WHERE[self.where.currentText()],
            seed=int(self.seed.value()),
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
                "A run file or a layer file; empty for the layers that come along",
            ),
            ("browse", self.browse, "Choose a run file or a layer file"),
            ("where", self.where, "Computed by the digital twin, or measured on the bench"),
            ("count", self.count, "How many at once"),
            ("steps", self.steps, "Of the reverse process; more are slower and better"),
            ("seed", self.seed, "Of the noise: the same seed gives the same images on the twin"),
            ("class", self.label, ""),
            ("guidance", self.guidance, "Weight of the class asked for; 1: as trained"),
            ("start", self.start_button, "Turn noise into images"),
            ("stop", self.stop_button, "Leave it at the step it has reached"),
            ("png", self.save_buttons["png"], "The moment in view as a picture"),
            ("gif", self.save_buttons["gif"], "All moments, from noise to images"),
            ("progress", self.progress, ""),
            ("words", self.words, ""),
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
        for words, widget in (
            ("Count", self.count),
            ("Steps", self.steps),
            ("Seed", self.seed),
            ("Class", self.label),
            ("Guidance", self.guidance),
        ):
            form.addRow(words, widget)
        acts = QHBoxLayout()
        acts.addWidget(self.start_button)
        acts.addWidget(self.stop_button)
        saves = QHBoxLayout()
        for button in self.save_buttons.values():
            saves.addWidget(button)
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addLayout(acts)
        column.addWidget(self.progress)
        column.addWidget(self.words)
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
        self.start_button.setEnabled(self._ready)
        self.stop_button.setEnabled(self._mine)
        has_class = self.label.isEnabled() and self.label.currentText().strip().isdigit()
        self.guidance.setEnabled(has_class)
        for kind, button in self.save_buttons.items():
            button.setEnabled(len(self.view.moments) > (kind == "gif"))

    def _ask(self) -> None:
        self.generate_wanted.emit(self.request())

    def _look_at_source(self) -> None:
        path = self._path()
        self._background.start(
            partial(options_of_layers, path),
            lambda options: self._offer_classes(options if path == self._path() else None),
            self._not_offered,
        )

    def _not_offered(self, words: str) -> None:
        self._offer_classes(None)
        self._fail(words)

    def _offer_classes(self, options: TrainingOptions | None) -> None:
        """A class can be asked for where layers were trained with prompts."""
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
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Layers", str(start), "Run files and layer files (*.h5);;All files (*)"
        )
        if chosen:
            self.set_source(Path(chosen))

    def _saver(self, kind: str) -> Callable[[], None]:
        return lambda: self._save(kind)

    def _save(self, kind: str) -> None:
        source = self._path()
        name = "images" if source is None else f"{source.parent.name or source.stem}-images"
        proposed = self._folder / f"{name}-seed-{int(self.seed.value())}.{kind}"
        chosen, _ = QFileDialog.getSaveFileName(
            self, f"Save {kind.upper()}", str(proposed), FILTERS[kind]
        )
        if not chosen:
            return
        path = with_suffix(Path(chosen), f".{kind}")
        self._folder = path.parent
        moments = [images for _, images in self.view.moments]
        shown = moments[self.view.slider.value()]

        def work() -> None:
            write_export(path, png_of(shown) if kind == "png" else gif_of(moments))

        self._background.start(work, lambda _: self._saved(path), self._fail)

    def _saved(self, path: Path) -> None:
        self.words.setText(f"written: {path}")
        self.said.emit(f"written: {path}")

    def _fail(self, words: str) -> None:
        self.words.setText(words)
        self.trouble.emit(words)

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
