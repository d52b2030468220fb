"""Forms for test patterns: which pattern, and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.panels.slm_zernike import ZernikeSliders
from gui.slm_patterns.phase_patterns import (
    blaze,
    checkerboard,
    lens,
    shortest_focal_mm,
    zernike,
)
from gui.widgets.choice import Choice
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.plain_label import PlainLabel

Make: TypeAlias = Callable[[], npt.NDArray[np.float32]]
TURN_RAD = 2.0 * np.pi


class TestPatterns(QWidget):
    """Chooses a test pattern and its parameters.

    Attributes:
        changed: Emitted when the pattern or a parameter has changed.
    """

    __test__ = False
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shape, self._wavelength_nm, self._pitch_um = (1, 1), 633.0, 8.0
        self.kind = Choice("slm_test_kind", "A pattern whose diffraction is well known.")
        self._pages = QStackedWidget()
        self._make: list[Callable[[], Make]] = []
        self._blaze()
        self._checkerboard()
        self._lens()
        self.zernike = ZernikeSliders()
        self.zernike.changed.connect(self.changed)
        self._page(
            "Zernike", self.zernike, lambda: partial(zernike, self._shape, self.zernike.waves)
        )
        self.explanation = PlainLabel()
        self.explanation.setObjectName("slm_test_explanation")
        self.explanation.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.kind)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.explanation)
        self.kind.currentIndexChanged.connect(self._pages.setCurrentIndex)
        for signal in (self.kind.currentIndexChanged, self.changed):
            signal.connect(self._explain)
        self.kind.currentIndexChanged.connect(self.changed)

    def set_panel(self, shape: tuple[int, int], wavelength_nm: float, pitch_um: float) -> None:
        """Set what patterns are computed for.

        Args:
            shape: (height, width) of the SLM.
            wavelength_nm: Wavelength of the laser.
            pitch_um: Pitch of the SLM's pixels.
        """
        self._shape, self._wavelength_nm, self._pitch_um = shape, wavelength_nm, pitch_um
        self.changed.emit()

    def forget_panel(self) -> None:
        """Remove the explanation, which depends on the bench."""
        self.explanation.clear()

    def make(self) -> Make:
        """Return a function that computes the pattern with the present parameters, in any thread."""
        return self._make[self.kind.currentIndex()]()

    def refusal(self) -> str:
        """Return which parameter of the chosen pattern is not understood, and why; "" if all are."""
        page = self._pages.currentWidget()
        for field in page.findChildren(NumberField) if page is not None else ():
            if not field.commit():
                return field.refusal
        return ""

    def _page(self, name: str, page: QWidget, make: Callable[[], Make]) -> None:
        self.kind.addItem(name)
        self._pages.addWidget(page)
        self._make.append(make)

    def _form(self, *rows: tuple[str, NumberField]) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        for label, box in rows:
            form.addRow(label, box)
            box.valueChanged.connect(lambda _: self.changed.emit())
        return page

    def _blaze(self) -> None:
        tip = "Pixels per 2 pi; negative: the opposite slope."
        period = NumberField("slm_blaze_period", 16.0, 2.0, 10_000.0, "px", step=1.0, tip=tip)
        angle = NumberField(
            "slm_blaze_angle",
            0.0,
            -180.0,
            180.0,
            "°",
            step=15.0,
            tip="From x (right) towards y (down).",
        )
        self.period, self.angle = period, angle
        page = self._form(("Period", period), ("Direction", angle))
        self._page(
            "Blaze",
            page,
            lambda: partial(blaze, self._shape, self.period.value(), self.angle.value()),
        )

    def _checkerboard(self) -> None:
        cell = CountField("slm_checker_cell", 16, 1, 4096, "px", tip="Side of a square.")
        contrast = NumberField(
            "slm_checker_contrast",
            np.pi,
            0.0,
            TURN_RAD,
            "rad",
            step=0.1,
            tip="With π no light is left in the zero order.",
        )
        self.cell, self.contrast = cell, contrast
        page = self._form(("Cells", cell), ("Contrast", contrast))
        self._page(
            "Checkerboard",
            page,
            lambda: partial(checkerboard, self._shape, self.cell.value(), self.contrast.value()),
        )

    def _lens(self) -> None:
        focal = NumberField(
            "slm_lens_focal",
            300.0,
            -100_000.0,
            100_000.0,
            "mm",
            step=10.0,
            tip="Negative: the light diverges.",
        )
        self.focal = focal
        self._page(
            "Lens",
            self._form(("Focal length", focal)),
            lambda: partial(
                lens, self._shape, self.focal.value(), self._wavelength_nm, self._pitch_um
            ),
        )

    def _explain(self) -> None:
        name, text = self.kind.currentText(), ""
        if name == "Blaze":
            mrad = self._wavelength_nm / (self.period.value() * self._pitch_um)
            text = f"Deflects {self._wavelength_nm:g} nm by {mrad:.3f} mrad."
        elif name == "Lens":
            least = shortest_focal_mm(self._shape, self._wavelength_nm, self._pitch_um)
            text = f"The pixels resolve focal lengths of {least:.0f} mm and more, up to the edge."
        elif name == "Zernike":
            text = "On the largest circle in the panel, rms, in Noll's order."
        self.explanation.setText(text)
