"""Input pattern, camera intensity, predicted noise and true noise, side by side."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QGroupBox, QHBoxLayout

from labdiff.events import Pictures

TITLES = {
    "input_field": "input pattern",
    "camera": "camera (flat = 1)",
    "predicted_noise": "predicted noise (sd)",
    "true_noise": "true noise (sd)",
}


class NoiseView(QGroupBox):
    """Four pictures of one training step; the two noises share their levels."""

    def __init__(self, input_unit: str = "rad or amplitude") -> None:
        super().__init__("One image through the bench")
        self.images: dict[str, pg.ImageItem] = {}
        layout = QHBoxLayout(self)
        for name, title in TITLES.items():
            plot = pg.PlotWidget()
            plot.setAspectLocked(True)
            plot.invertY(True)
            plot.hideAxis("left")
            plot.hideAxis("bottom")
            unit = f" ({input_unit})" if name == "input_field" else ""
            plot.setTitle(title + unit, size="9pt")
            noise = name.endswith("noise")
            image = pg.ImageItem(axisOrder="row-major")
            image.setColorMap(pg.colormap.get("CET-D1" if noise else "inferno"))
            plot.addItem(image)
            layout.addWidget(plot, 1)
            self.images[name] = image

    def show_nothing(self) -> None:
        """Forget the last run."""
        for item in self.images.values():
            item.clear()

    def show_pictures(self, pictures: Pictures) -> None:
        """Show one step's pictures."""
        both = np.concatenate([pictures.predicted_noise.ravel(), pictures.true_noise.ravel()])
        reach = max(float(np.nanmax(np.abs(both))), 1e-6)
        for name, item in self.images.items():
            picture = getattr(pictures, name)
            low, high = float(np.nanmin(picture)), float(np.nanmax(picture))
            levels = (-reach, reach) if name.endswith("noise") else (low, max(high, low + 1e-6))
            item.setImage(picture, levels=levels)
