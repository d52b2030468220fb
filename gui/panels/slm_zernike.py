"""Sliders for the Zernike terms of a phase."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from gui.slm_patterns.phase_patterns import NOLL
from gui.widgets.choice import Choice
from gui.widgets.number_field import NumberField
from gui.widgets.plain_label import PlainLabel

TURN_RAD = 2.0 * np.pi
WAVES = 1.0
"""Largest amplitude of a Zernike term, rms, in waves."""
SLIDER_STEPS = 100
SLIDER_WIDTH = 12
"""Least width of a slider, in characters."""


class ZernikeSliders(QWidget):
    """A slider and a number for each term from tilt on, in waves or in radians (rms)."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._waves: dict[int, float] = {}
        self._boxes: dict[int, NumberField] = {}
        self._sliders: dict[int, QSlider] = {}
        self.unit = Choice("slm_zernike_unit", "A wave is 2π rad.")
        self.unit.addItems(["waves", "rad"])
        self.unit.currentTextChanged.connect(self._convert)
        self.reset = QPushButton("Reset")
        self.reset.setObjectName("slm_zernike_reset")
        self.reset.setToolTip("Set all amplitudes to 0")
        self.reset.clicked.connect(self._reset)
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setColumnStretch(1, 1)
        for number, (name, _, _) in enumerate(NOLL, 1):
            if number > 1:
                self._row(grid, number, name)
        area = QScrollArea()
        area.setObjectName("slm_zernike_area")
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setMinimumWidth(
            inner.minimumSizeHint().width() + area.verticalScrollBar().sizeHint().width()
        )
        # The tab's own colour shows through.
        area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        top = QHBoxLayout()
        top.addWidget(PlainLabel("Amplitudes in"))
        top.addWidget(self.unit)
        top.addStretch(1)
        top.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(area, 1)

    @property
    def waves(self) -> dict[int, float]:
        """Amplitudes in waves, rms, by Noll's number; those that are not zero."""
        return {number: value for number, value in self._waves.items() if value != 0.0}

    def _row(self, grid: QGridLayout, number: int, name: str) -> None:
        slider = _Slider(Qt.Orientation.Horizontal)
        slider.setObjectName(f"slm_zernike_slider_{number}")
        slider.setToolTip(f"{name}, -{WAVES:g} ... {WAVES:g} waves, rms")
        slider.setMinimumWidth(SLIDER_WIDTH * self.fontMetrics().averageCharWidth())
        slider.setRange(-SLIDER_STEPS, SLIDER_STEPS)
        box = NumberField(f"slm_zernike_{number}", 0.0, -WAVES, WAVES, "waves", step=0.01, tip=name)
        self._boxes[number], self._sliders[number] = box, slider
        slider.valueChanged.connect(partial(self._on_slider, number))
        box.valueChanged.connect(partial(self._on_box, number))
        for column, widget in enumerate((PlainLabel(f"{number}  {name}"), slider, box)):
            grid.addWidget(widget, number, column)

    def _scale(self) -> float:
        """Return how many of the chosen unit make a wave."""
        return 1.0 if self.unit.currentText() == "waves" else TURN_RAD

    def _on_slider(self, number: int, position: int) -> None:
        self._boxes[number].setValue(position / SLIDER_STEPS * WAVES * self._scale())

    def _on_box(self, number: int, value: float) -> None:
        self._waves[number] = value / self._scale()
        slider = self._sliders[number]
        slider.blockSignals(True)  # it has fewer steps than the number, and would round it
        slider.setValue(round(self._waves[number] / WAVES * SLIDER_STEPS))
        slider.blockSignals(False)
        self.changed.emit()

    def _convert(self, unit: str) -> None:
        """Show the same amplitudes in another unit."""
        for number, box in self._boxes.items():
            box.blockSignals(True)
            box.setRange(-WAVES * self._scale(), WAVES * self._scale())
            box.set_unit(unit)
            box.setValue(self._waves.get(number, 0.0) * self._scale())
            box.blockSignals(False)

    def _reset(self) -> None:
        for box in self._boxes.values():
            box.setValue(0.0)


class _Slider(QSlider):
    """A slider that the mouse wheel leaves alone."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let what lies around scroll."""
        event.ignore()
