"""Images as they form out of noise: the latest, and each moment again along t."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.widgets.image_grid import ImageGrid, Images
from gui.widgets.scrubber import Scrubber

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
        self.scrubber = Scrubber(
            name,
            "From noise, at large t, to images, at t = 0",
            "Play from noise to images",
            "t = 1000, 1000 of 1000 ",
        )
        self.slider, self.play_button = self.scrubber.slider, self.scrubber.play_button
        self.words = self.scrubber.words
        self.words.setObjectName(f"{name}_t")
        self.scrubber.moved.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid, 1)
        layout.addWidget(self.scrubber)
        self.clear()

    def add(self, t: int, images: Images) -> None:
        """One moment more; images (B, H, W) in -1 ... 1, copied."""
        at_end = self.scrubber.at_end
        if (len(self.moments) + 1) * images.size * 4 > MOST_BYTES:
            del self.moments[1::2]
        self.moments.append((t, np.array(images, np.float32)))
        self.scrubber.set_count(len(self.moments))
        if at_end and not self.scrubber.playing:
            self.scrubber.go_to_end()
            self._show()

    def show_moments(self, moments: list[tuple[int, Images]]) -> None:
        """All at once, noise first; the place along t stays if there are as many as before."""
        stays = len(moments) == len(self.moments)
        self.moments = moments
        self.scrubber.set_count(len(self.moments))
        if not stays:
            self.scrubber.go_to_end()
        self._show()

    def clear(self) -> None:
        """Forget all."""
        self.moments = []
        self.grid.show_images(np.empty((0, 1, 1), np.float32))
        self.scrubber.set_count(0)
        self.words.setText("")

    def _show(self) -> None:
        if not self.moments:
            return
        place = self.scrubber.place
        t, images = self.moments[place]
        self.grid.show_images(images)
        self.words.setText(f"t = {t}, {place + 1} of {len(self.moments)}")
