"""The controls of the live view, in a row above the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import qtawesome as qta
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget
from superqt import QFlowLayout

from gui.live.levels import COLOUR_MAPS, LevelMode, Levels
from gui.live.recording import FORMATS
from gui.style import style, theme
from gui.widgets.number_field import NumberField
from gui.widgets.plain_label import PlainLabel

MOST_COUNTS = 65535
COMPACT_CHARS = 80
"""Width in characters below which the buttons have no texts."""
Setting: TypeAlias = str | int | float | bool


class Controls(QWidget):
    """What the user sets of the live view.

    Attributes:
        changed: Emitted when levels, colours or the marking of saturated pixels have changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._icons: list[tuple[QToolButton, str]] = []
        self._percentiles = (0.1, 99.9)
        self._fixed = Levels(0, 255)
        row = QFlowLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.mode = _choice(
            "live_level_mode",
            [mode.value for mode in LevelMode],
            "How the levels follow the frames; they stay with the mode you choose.",
        )
        self.low = NumberField(
            "live_level_low",
            0,
            0,
            MOST_COUNTS,
            tip="The count, or percentile, of the first colour.",
        )
        self.high = NumberField(
            "live_level_high",
            255,
            0,
            MOST_COUNTS,
            tip="The count, or percentile, of the last colour.",
        )
        self.colours = _choice("live_colours", COLOUR_MAPS, "Colour map.")
        label = PlainLabel("Levels")
        label.setMinimumHeight(self.mode.sizeHint().height())
        both = QWidget()  # where there is little room they stand in the next row together
        levels = QHBoxLayout(both)
        levels.setContentsMargins(0, 0, 0, 0)
        levels.addWidget(self.low)
        levels.addWidget(self.high)
        for widget in (label, self.mode, self.colours, both):
            row.addWidget(widget)

        def button(name: str, icon: str, text: str, tip: str, check: bool = False) -> QToolButton:
            made = QToolButton()
            made.setObjectName(f"live_{name}")
            made.setText(text)
            made.setToolTip(tip)
            made.setCheckable(check)
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._icons.append((made, icon))
            row.addWidget(made)
            return made

        self.saturation = button(
            "saturation",
            "mdi6.white-balance-sunny",
            "Saturation",
            "Mark pixels at the camera's largest count.",
            check=True,
        )
        self.saturation.setChecked(True)
        self.crosshair = button(
            "crosshair",
            "mdi6.crosshairs",
            "Crosshair",
            "Crosshair and its two profiles.",
            check=True,
        )
        self.histogram = button(
            "histogram_shown",
            "mdi6.chart-histogram",
            "Histogram",
            "Show the histogram.",
            check=True,
        )
        self.histogram.setChecked(True)
        self.draw_roi = button(
            "draw_roi",
            "mdi6.selection-drag",
            "Draw ROI",
            "Drag the camera's new region.",
            check=True,
        )
        self.whole = button(
            "whole_sensor", "mdi6.arrow-expand-all", "Whole sensor", "Read out the whole sensor."
        )
        self.fit = button("fit", "mdi6.fit-to-page-outline", "Fit", "The whole frame (F).")
        self.one = button(
            "one_to_one", "mdi6.numeric-1-box-outline", "1:1", "A sensor pixel a screen pixel (1)."
        )
        self.snapshot = button(
            "snapshot", "mdi6.camera", "Snapshot", "Save this frame with its settings."
        )
        self.record = button(
            "record", "mdi6.record-rec", "Record", "Save all frames from now on.", check=True
        )
        self.format = _choice(
            "live_format", list(FORMATS), "File format of snapshots and recordings."
        )
        self.format.setParent(self)
        self.format.hide()  # it stands with the other settings of recordings
        self.mode.currentTextChanged.connect(self._apply_mode)
        self.low.valueChanged.connect(lambda _: self._apply_boxes())
        self.high.valueChanged.connect(lambda _: self._apply_boxes())
        self.colours.currentTextChanged.connect(lambda _: self.changed.emit())
        self.saturation.toggled.connect(lambda _: self.changed.emit())
        style.changed.connect(self._colour)
        self._colour()
        self._apply_mode(self.mode.currentText())

    @property
    def level_mode(self) -> LevelMode:
        """How levels follow the frames."""
        return LevelMode(self.mode.currentText())

    @property
    def fixed(self) -> Levels:
        """Levels of the fixed mode."""
        return self._fixed

    @property
    def percentiles(self) -> tuple[float, float]:
        """Per cent of the pixels below the low and below the high level."""
        return self._percentiles

    def fix(self, levels: Levels) -> None:
        """Set fixed levels, which stay from now on."""
        self._fixed = levels
        self.mode.setCurrentText(LevelMode.FIXED.value)
        self._fill()
        self.changed.emit()

    def set_percentiles(self, percentiles: tuple[float, float]) -> None:
        """Set the percentiles of the percentile mode."""
        self._percentiles = percentiles
        self._fill()
        self.changed.emit()

    def settings(self) -> dict[str, Setting]:
        """Return what the user has set, as plain values."""
        return {
            "mode": self.level_mode.value,
            "low": self.fixed.low,
            "high": self.fixed.high,
            "low_percent": self.percentiles[0],
            "high_percent": self.percentiles[1],
            "colours": self.colours.currentText(),
            "saturation": self.saturation.isChecked(),
            "histogram": self.histogram.isChecked(),
            "format": self.format.currentText(),
        }

    def restore(self, found: Mapping[str, Setting]) -> None:
        """Restore what `settings` returned. Raises TypeError, ValueError for what is not understood."""
        low, high = int(found["low"]), int(found["high"])
        percentiles = (float(found["low_percent"]), float(found["high_percent"]))
        mode = LevelMode(str(found["mode"]))
        self.fix(Levels(low, max(high, low + 1)))
        self.set_percentiles(percentiles)
        self.mode.setCurrentText(mode.value)
        for box, name in ((self.colours, "colours"), (self.format, "format")):
            if box.findText(str(found[name])) >= 0:
                box.setCurrentText(str(found[name]))
        for button, name in ((self.saturation, "saturation"), (self.histogram, "histogram")):
            button.setChecked(str(found[name]).lower() == "true")

    def show_levels(self, levels: Levels) -> None:
        """Show the levels that min/max found; in the other modes the boxes show what was asked for."""
        if self.level_mode is LevelMode.MIN_MAX:
            self.low.show_value(levels.low)
            self.high.show_value(levels.high)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the texts of buttons, which their tool tips have, out where they would take much room."""
        narrow = event.size().width() < COMPACT_CHARS * self.fontMetrics().averageCharWidth()
        only, beside = (
            Qt.ToolButtonStyle.ToolButtonIconOnly,
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
        )
        for button, _ in self._icons:
            button.setToolButtonStyle(only if narrow else beside)
        super().resizeEvent(event)

    def show_recording(self, on: bool) -> None:
        """Show on the button what it will do."""
        self.record.setText("Stop" if on else "Record")

    def _apply_mode(self, _: str) -> None:
        percent = self.level_mode is LevelMode.PERCENTILE
        for box in (self.low, self.high):
            box.set_whole(not percent)
            box.set_step(0.1 if percent else 1.0)
            box.set_unit("%" if percent else "counts")
            box.setReadOnly(self.level_mode is LevelMode.MIN_MAX)
        self._fill()
        self.changed.emit()

    def _fill(self) -> None:
        if self.level_mode is LevelMode.FIXED:
            self._show(self._fixed.low, self._fixed.high, 1.0, MOST_COUNTS)
        elif self.level_mode is LevelMode.PERCENTILE:
            self._show(*self._percentiles, 0.0, 100.0)

    def _show(self, low: float, high: float, least_gap: float, most: float) -> None:
        """Show two levels, of which each limits the other."""
        for box, level in ((self.low, low), (self.high, high)):
            box.restore()
            box.show_value(level)
        self.low.setRange(0.0, high - least_gap)
        self.high.setRange(low + least_gap, most)

    def _apply_boxes(self) -> None:
        low, high = self.low.value(), self.high.value()
        if self.level_mode is LevelMode.FIXED:
            self._fixed = Levels(int(low), int(high))
        elif self.level_mode is LevelMode.PERCENTILE:
            self._percentiles = (low, high)
        else:
            return
        self._fill()
        self.changed.emit()

    def _colour(self) -> None:
        for button, icon in self._icons:
            on = theme().bad if button is self.record else theme().accent
            button.setIcon(qta.icon(icon, color=theme().text, color_on=on))


def _choice(name: str, entries: Sequence[str], tip: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.addItems(list(entries))
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return box
