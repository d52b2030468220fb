"""A slider along steps, with a button that plays them."""

from __future__ import annotations

import qtawesome as qta
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from gui import style
from gui.widgets.plain_label import PlainLabel

PLAY_MS = 120


class Scrubber(QWidget):
    """Chooses a step.

    Args:
        name: Start of the widgets' names.
        hint: Tool tip of the slider.
        play_hint: Tool tip of the button.
        widest_text: The widest text that stands beside the slider.

    Attributes:
        moved: Emitted with the number of the step to show, from 0.
    """

    moved = Signal(int)

    def __init__(self, name: str, hint: str, play_hint: str, widest_text: str) -> None:
        super().__init__()
        self.setObjectName(f"{name}_scrubber")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(f"{name}_slider")
        self.slider.setToolTip(hint)
        self.slider.valueChanged.connect(self.moved)
        self.play_button = QToolButton()
        self.play_button.setObjectName(f"{name}_play")
        self.play_button.setToolTip(play_hint)
        self.play_button.setCheckable(True)
        self.play_button.toggled.connect(self._on_play)
        self.place_label = PlainLabel()
        self.place_label.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest_text))
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        for widget in (self.play_button, self.slider, self.place_label):
            line.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_MS)
        self._timer.timeout.connect(self._next)
        style.style.changed.connect(self._paint)
        self._paint()
        self.set_count(0)

    @property
    def place(self) -> int:
        """Number of the step in view, from 0."""
        return self.slider.value()

    @property
    def at_end(self) -> bool:
        """True if the last step is in view."""
        return self.slider.value() == self.slider.maximum()

    @property
    def playing(self) -> bool:
        """True while the steps are played."""
        return self._timer.isActive()

    def set_count(self, count: int) -> None:
        """Set the number of steps; the step in view stays if it is still there."""
        self.slider.setRange(0, max(count - 1, 0))
        self.slider.setEnabled(count > 1)
        self.play_button.setEnabled(count > 1)
        if count < 2:
            self.stop()

    def go_to_end(self) -> None:
        """Move to the last step."""
        self.slider.setValue(self.slider.maximum())

    def stop(self) -> None:
        """Stop playing."""
        self.play_button.setChecked(False)

    def _on_play(self, on: bool) -> None:
        if not on:
            self._timer.stop()
        else:
            if self.at_end:
                self.slider.setValue(0)
            self._timer.start()
        self._paint()

    def _next(self) -> None:
        self.slider.setValue(self.slider.value() + 1)
        if self.at_end:
            self.stop()

    def _paint(self) -> None:
        icon = "mdi6.pause" if self.play_button.isChecked() else "mdi6.play"
        self.play_button.setIcon(qta.icon(icon, color=style.theme().text))
