"""Images as they form out of noise: the latest, and each moment again along t."""

from __future__ import annotations

import numpy as np
import qtawesome as qta
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from gui import style
from gui.widgets.image_grid import ImageGrid, Images

PLAY_MS = 120
MOST_BYTES = 256 * 2**20
"""Of all moments; beyond it every second one is let go."""


class DenoisingView(QWidget):
    """A grid, and below it a slider from noise to images.

    While it grows the newest is shown, unless the user looks at an earlier one.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.moments: list[tuple[int, Images]] = []
        self.grid = ImageGrid(f"{name}_grid")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(f"{name}_slider")
        self.slider.setToolTip("From noise, at large t, to images, at t = 0")
        self.slider.valueChanged.connect(self._show)
        self.play_button = QToolButton()
        self.play_button.setObjectName(f"{name}_play")
        self.play_button.setToolTip("Play from noise to images")
        self.play_button.setCheckable(True)
        self.play_button.toggled.connect(self._on_play)
        self.words = QLabel()
        self.words.setObjectName(f"{name}_t")
        self.words.setMinimumWidth(self.fontMetrics().horizontalAdvance("t = 1000, 1000 of 1000 "))
        line = QHBoxLayout()
        for widget in (self.play_button, self.slider, self.words):
            line.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid, 1)
        layout.addLayout(line)
        self._timer = QTimer(self)
        self._timer.setInterval(PLAY_MS)
        self._timer.timeout.connect(self._next)
        style.style.changed.connect(self._paint)
        self._paint()
        self.clear()

    def add(self, t: int, images: Images) -> None:
        """One moment more; images (B, H, W) in -1 ... 1, copied."""
        at_end = self.slider.value() == self.slider.maximum()
        if (len(self.moments) + 1) * images.size * 4 > MOST_BYTES:
            del self.moments[1::2]
        self.moments.append((t, np.array(images, np.float32)))
        self._ready()
        if at_end and not self._timer.isActive():
            self.slider.setValue(self.slider.maximum())
            self._show()

    def show_moments(self, moments: list[tuple[int, Images]]) -> None:
        """All at once, noise first; the place along t stays if there are as many as before."""
        stays = len(moments) == len(self.moments)
        self.moments = moments
        self._ready()
        if not stays:
            self.slider.setValue(self.slider.maximum())
        self._show()

    def clear(self) -> None:
        """Forget all."""
        self.play_button.setChecked(False)
        self.moments = []
        self.grid.show_images(np.empty((0, 1, 1), np.float32))
        self._ready()
        self.words.setText("")

    def _ready(self) -> None:
        several = len(self.moments) > 1
        self.slider.setRange(0, max(len(self.moments) - 1, 0))
        self.slider.setEnabled(several)
        self.play_button.setEnabled(several)

    def _show(self) -> None:
        if not self.moments:
            return
        place = self.slider.value()
        t, images = self.moments[place]
        self.grid.show_images(images)
        self.words.setText(f"t = {t}, {place + 1} of {len(self.moments)}")

    def _on_play(self, on: bool) -> None:
        if not on:
            self._timer.stop()
        else:
            if self.slider.value() == self.slider.maximum():
                self.slider.setValue(0)
            self._timer.start()
        self._paint()

    def _next(self) -> None:
        self.slider.setValue(self.slider.value() + 1)
        if self.slider.value() == self.slider.maximum():
            self.play_button.setChecked(False)

    def _paint(self) -> None:
        icon = "mdi6.pause" if self.play_button.isChecked() else "mdi6.play"
        self.play_button.setIcon(qta.icon(icon, color=style.theme().text))
