"""What is done with a frame before it is shown: background, average, squares, brightness."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QWidget

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.result import CalibrationError
from drivers.types import Frame
from gui.live.levels import Brightness, Scale
from gui.live.processing import BINS, MOST_AVERAGED, FrameProcessing, TakenBackground
from gui.widgets.choice import Choice
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.page import Note, button

NONE, CALIBRATED, TAKEN = "none", "calibrated dark level", "taken"


class PicturePage(QWidget):
    """Sets the processing of frames, and the scale of their colours.

    Args:
        processing: What is set.

    Attributes:
        changed: Emitted when frames are processed otherwise than before.
        brightness_changed: Emitted with the scale of the colours.
        autoscale_changed: Emitted with whether the profiles' axes follow their counts.
    """

    changed = Signal()
    brightness_changed = Signal(Brightness)
    autoscale_changed = Signal(bool)

    def __init__(self, processing: FrameProcessing) -> None:
        super().__init__()
        self._processing = processing
        self._archive: Path | None = None
        self._taken: TakenBackground | None = None
        self._frame: Frame | None = None
        self._problem = ""
        self.background = Choice(
            "desk_background", "What is subtracted from what is shown; recordings hold raw counts"
        )
        self.background.addItems([NONE, CALIBRATED, TAKEN])
        self.frames = CountField(
            "desk_background_frames", 16, 1, 1000, tip="Number of frames whose mean is taken."
        )
        self.take = button(
            "desk_background_take",
            "Take",
            "Take the mean of the next frames as background: switch the laser off, or block it, before",
            self._take,
        )
        self.said = Note("desk_background_note", 2)
        self.average = CountField(
            "desk_average",
            1,
            1,
            MOST_AVERAGED,
            tip="The mean of so many last frames is shown; 1: each frame by itself.",
        )
        self.bins = Choice(
            "desk_bins", "The mean of squares of pixels is shown; 1 px: each by itself"
        )
        self.bins.addItems([f"{side} px" for side in BINS])
        self.scale = Choice("desk_scale", "How brightness follows the counts between the levels")
        self.scale.addItems([scale.value for scale in Scale])
        self.gamma = NumberField(
            "desk_gamma",
            0.5,
            0.1,
            5.0,
            step=0.1,
            tip="Power of the counts; below 1 brightens the dim.",
        )
        self.autoscale = QCheckBox("Scale the profiles to their counts")
        self.autoscale.setObjectName("desk_autoscale")
        self.autoscale.setToolTip(
            "The axes of the crosshair's profiles go from the least to the greatest of their counts; else "
            "from 0 to full scale"
        )
        taking = QHBoxLayout()
        taking.addWidget(self.frames, 1)
        taking.addWidget(self.take)
        form = QFormLayout(self)
        form.addRow("Background", self.background)
        form.addRow("Frames", taking)
        form.addRow(self.said)
        form.addRow("Average of", self.average)
        form.addRow("Squares of", self.bins)
        form.addRow("Brightness", self.scale)
        form.addRow("Gamma", self.gamma)
        form.addRow(self.autoscale)
        self.background.currentTextChanged.connect(self._choose)
        self.average.valueChanged.connect(lambda _: self._apply())
        self.bins.currentIndexChanged.connect(lambda _: self._apply())
        self.scale.currentTextChanged.connect(lambda _: self._set_brightness())
        self.gamma.valueChanged.connect(lambda _: self._set_brightness())
        self.autoscale.toggled.connect(self.autoscale_changed)
        self.gamma.setEnabled(False)
        self._explain()

    def set_archive(self, folder: Path | None) -> None:
        """Set where the calibrations are; None without a bench."""
        self._archive = folder

    def show_frame(self, frame: Frame) -> None:
        """Show how far the background is taken, and whether it fits a frame."""
        self._frame = frame
        if self._processing.taking is None and self.background.currentText() == TAKEN:
            background = self._processing.background
            if isinstance(background, TakenBackground):
                self._taken = background
        self._explain()

    def reset(self) -> None:
        """Forget the backgrounds of the last camera; how frames are shown stays."""
        self._processing.reset()
        self._archive, self._taken, self._frame, self._problem = None, None, None, ""
        self._set_choice(NONE)
        self._explain()

    def _take(self) -> None:
        if not self.frames.commit():
            self._problem = f"{self.frames.refusal}. Nothing is taken."
            self._explain()
            return
        self._problem = ""
        self._set_choice(TAKEN)
        self._processing.take_background(self.frames.value())
        self._explain()

    def _set_choice(self, text: str) -> None:
        self.background.blockSignals(True)
        self.background.setCurrentText(text)
        self.background.blockSignals(False)

    def _choose(self, chosen: str) -> None:
        processing, self._problem = self._processing, ""
        processing.reset()
        if chosen == CALIBRATED:
            processing.background, self._problem = _calibrated(self._archive)
        elif chosen == TAKEN:
            processing.background = self._taken
        if self._problem:
            self._set_choice(NONE)
        self._explain()
        self.changed.emit()

    def _apply(self) -> None:
        self._processing.average = self.average.value()
        self._processing.bin_px = BINS[self.bins.currentIndex()]
        self.changed.emit()

    def _set_brightness(self) -> None:
        scale = Scale(self.scale.currentText())
        self.gamma.setEnabled(scale is Scale.GAMMA)
        self.brightness_changed.emit(Brightness(scale, self.gamma.value()))

    def _explain(self) -> None:
        """Say what is subtracted, or why nothing is."""
        self.said.setText(self._problem or self._description())

    def _description(self) -> str:
        background, taking = self._processing.background, self._processing.taking
        if taking is not None:
            waits = "; it waits for frames" if self._frame is None else ""
            return f"taking {taking.taken} of {taking.frames} frames{waits}"
        match background:
            case DarkLevel(pedestal_counts=pedestal, hot_pixels=hot):
                return f"{pedestal:.1f} counts, and {len(hot)} hot pixels mended"
            case TakenBackground(taken=taken):
                misses = "" if self._frame is None else self._processing.misses(self._frame)
                return f"mean of {taken} frames" + (f"; {misses}" if misses else "")
            case _:
                nothing_taken = self.background.currentText() == TAKEN
                return "none is taken yet: press Take" if nothing_taken else ""


def _calibrated(archive: Path | None) -> tuple[DarkLevel | None, str]:
    """Return the newest dark level of an archive; or None, and why."""
    if archive is None:
        return None, "connect a bench first"
    try:
        stored = CalibrationArchive(archive).latest(DarkLevel.routine)
    except CalibrationError as error:
        return None, str(error)
    if stored is None or not isinstance(stored.result, DarkLevel):
        return None, "no dark level is stored for this bench; calibrate first"
    return stored.result, ""
