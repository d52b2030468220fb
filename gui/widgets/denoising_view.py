"""Images as they form out of noise: the latest, and those of each earlier step."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.widgets.image_grid import ImageGrid, Images
from gui.widgets.scrubber import Scrubber

MOST_BYTES = 256 * 2**20
"""Largest size of all steps together; beyond it every second one is dropped."""


class DenoisingView(QWidget):
    """A grid of images, and below it a slider from noise to images.

    While steps are added the newest is shown, unless the user has moved to an earlier one.
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
        self.t_label = self.scrubber.place_label
        self.t_label.setObjectName(f"{name}_t")
        self.scrubber.moved.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid, 1)
        layout.addWidget(self.scrubber)
        self.clear()

    def add(self, t: int, images: Images) -> None:
        """Add the images of a step, (B, H, W) in -1 ... 1; they are copied."""
        at_end = self.scrubber.at_end
        if (len(self.moments) + 1) * images.size * 4 > MOST_BYTES:
            del self.moments[1::2]
        self.moments.append((t, np.array(images, np.float32)))
        self.scrubber.set_count(len(self.moments))
        if at_end and not self.scrubber.playing:
            self.scrubber.go_to_end()
            self._show()

    def show_moments(self, moments: list[tuple[int, Images]]) -> None:
        """Show all steps at once, noise first; the step in view stays if there are as many as before."""
        stays = len(moments) == len(self.moments)
        self.moments = moments
        self.scrubber.set_count(len(self.moments))
        if not stays:
            self.scrubber.go_to_end()
        self._show()

    def clear(self) -> None:
        """Remove all images."""
        self.moments = []
        self.grid.show_images(np.empty((0, 1, 1), np.float32))
        self.scrubber.set_count(0)
        self.t_label.setText("")

    def _show(self) -> None:
        if not self.moments:
            return
        place = self.scrubber.place
        t, images = self.moments[place]
        self.grid.show_images(images)
        self.t_label.setText(f"t = {t}, {place + 1} of {len(self.moments)}")
