"""Forms for test patterns: where on the panel, which pattern, and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QStackedWidget, QVBoxLayout, QWidget

from drivers.types import Roi
from gui.panels.slm_zernike import ZernikeSliders
from gui.slm_patterns import phase_patterns as patterns
from gui.widgets.choice import Choice
from gui.widgets.form_columns import align, labels_of
from gui.widgets.number_field import CountField, NumberField
from gui.widgets.page import Note

Make: TypeAlias = Callable[[], npt.NDArray[np.float32]]
TURN_RAD = 2.0 * np.pi
WHOLE, EVERY = "Whole panel", "Every patch"
MOST_PX = 10_000.0


class TestPatterns(QWidget):
    """Chooses a place, a test pattern for it and its parameters.

    Attributes:
        changed: Emitted when the place, the pattern or a parameter has changed.
    """

    __test__ = False
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._panel, self._wavelength_nm, self._pitch_um = (1, 1), 633.0, 8.0
        self._patches: tuple[Roi, ...] = ()
        self.target = Choice(
            "slm_target", "Where the pattern goes; the rest keeps what the SLM displays"
        )
        self.target.addItem(WHOLE)
        self.kind = Choice("slm_test_kind", "A pattern whose diffraction is well known.")
        self._pages = QStackedWidget()
        self._make: list[Callable[[], Make]] = []
        self._labels: list[QWidget] = []
        self._add_all()
        self.explanation = Note("slm_test_explanation", 2)
        top = QFormLayout()
        top.addRow("On", self.target)
        top.addRow("Pattern", self.kind)
        align([*labels_of(top), *self._labels])
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.explanation)
        layout.addWidget(self._pages, 1)
        self.kind.currentIndexChanged.connect(self._pages.setCurrentIndex)
        for signal in (
            self.kind.currentIndexChanged,
            self.target.currentIndexChanged,
            self.changed,
        ):
            signal.connect(self._explain)
        for choice in (self.kind, self.target):
            choice.currentIndexChanged.connect(self.changed)

    def set_panel(self, shape: tuple[int, int], wavelength_nm: float, pitch_um: float) -> None:
        """Set what patterns are computed for.

        Args:
            shape: (height, width) of the SLM.
            wavelength_nm: Wavelength of the laser.
            pitch_um: Pitch of the SLM's pixels.
        """
        self._panel, self._wavelength_nm, self._pitch_um = shape, wavelength_nm, pitch_um
        self.changed.emit()

    def set_patches(self, patches: tuple[Roi, ...], names: tuple[str, ...]) -> None:
        """Set where the patches lie on the SLM, and what they are called."""
        if patches == self._patches:
            return
        self._patches = patches
        self.target.blockSignals(True)
        self.target.clear()
        self.target.addItem(WHOLE)
        if patches:
            self.target.addItem(EVERY)
            self.target.addItems([name.capitalize() for name in names])
        self.target.blockSignals(False)
        self.changed.emit()

    def forget_panel(self) -> None:
        """Remove what depends on the bench: patches and explanation."""
        self.set_patches((), ())
        self.explanation.clear()

    @property
    def regions(self) -> tuple[Roi, ...]:
        """The patches that get the pattern; none for the whole panel."""
        place = self.target.currentIndex()
        return () if place <= 0 else self._patches if place == 1 else (self._patches[place - 2],)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the pattern: a patch, or the panel."""
        return self.regions[0].shape if self.regions else self._panel

    @property
    def title(self) -> str:
        """What the pattern is called: its kind, and where it goes."""
        where = self.target.currentText()
        return self.kind.currentText() + ("" if where == WHOLE else f" on {where.lower()}")

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

    def _add(
        self, name: str, make: Callable[..., npt.NDArray[np.float32]], **rows: NumberField
    ) -> None:
        """Add a pattern whose parameters are fields; `make` gets the shape and their values, in order."""
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(0, 0, 0, 0)
        for label, field in rows.items():
            form.addRow(label.replace("_", " ").capitalize(), field)
            field.valueChanged.connect(lambda _: self.changed.emit())
        self._labels += labels_of(form)
        fields = tuple(rows.values())
        self._page(
            name, page, lambda: partial(make, self.shape, *(field.value() for field in fields))
        )

    def _add_all(self) -> None:
        self.period = _length("slm_blaze_period", 16.0, 2.0, "Pixels per 2 pi.")
        self._add("Blaze", patterns.blaze, period=self.period, direction=_angle("slm_blaze_angle"))
        self.cell = CountField("slm_checker_cell", 16, 1, 4096, "px", tip="Side of a square.")
        self.contrast = _phase("slm_checker_contrast", "With π no light is left in the zero order.")
        self._add("Checkerboard", patterns.checkerboard, cells=self.cell, contrast=self.contrast)
        self.focal = NumberField(
            "slm_lens_focal", 300.0, -100_000.0, 100_000.0, "mm", step=10.0,
            tip="Negative: the light diverges.",
        )  # fmt: skip
        self._add("Lens", self._lens, focal_length=self.focal)
        self.zernike = ZernikeSliders()
        self.zernike.changed.connect(self.changed)
        self._page(
            "Zernike",
            self.zernike,
            lambda: partial(patterns.zernike, self.shape, self.zernike.waves),
        )
        self._add(
            "Uniform",
            patterns.uniform_phase,
            phase=_phase("slm_uniform_phase", "The same everywhere."),
        )
        self._add(
            "Two levels",
            patterns.two_level,
            first=_phase("slm_levels_first", "Of the first half.", 0.0),
            second=_phase("slm_levels_second", "Of the half in the direction."),
            direction=_angle("slm_levels_angle"),
        )
        self._add(
            "Binary grating",
            patterns.binary_grating,
            period=_length("slm_grating_period", 16.0, 2.0, "Of two bars."),
            contrast=_phase("slm_grating_contrast", "With π no light is left in the zero order."),
            direction=_angle("slm_grating_angle"),
        )
        charge = CountField(
            "slm_vortex_charge", 1, -100, 100, tip="Turns of 2 pi around the middle."
        )
        self._add("Vortex", patterns.vortex, charge=charge)
        self._add(
            "Random",
            patterns.random_phase,
            cells=CountField("slm_random_cell", 4, 1, 4096, "px", tip="Side of a square."),
            greatest=_phase("slm_random_contrast", "Phases are even from 0 to it.", TURN_RAD),
            seed=CountField("slm_random_seed", 0, 0, 2**31 - 1, tip="Another one: other phases."),
        )
        self._add(
            "Aperture",
            patterns.aperture,
            diameter=_length("slm_aperture_diameter", 50.0, 1.0, "Of the circle that stays flat."),
            x=_length("slm_aperture_x", 0.0, -MOST_PX, "Of its middle, to the right."),
            y=_length("slm_aperture_y", 0.0, -MOST_PX, "Of its middle, downwards."),
        )

    def _lens(self, shape: tuple[int, int], focal_mm: float) -> npt.NDArray[np.float32]:
        return patterns.lens(shape, focal_mm, self._wavelength_nm, self._pitch_um)

    def _explain(self) -> None:
        name, text = self.kind.currentText(), ""
        if name == "Blaze":
            mrad = self._wavelength_nm / (self.period.value() * self._pitch_um)
            text = f"Deflects {self._wavelength_nm:g} nm by {mrad:.3f} mrad."
        elif name == "Lens":
            least = patterns.shortest_focal_mm(self.shape, self._wavelength_nm, self._pitch_um)
            text = f"The pixels resolve focal lengths of {least:.0f} mm and more, up to the edge."
        elif name == "Zernike":
            part = "patch" if self.regions else "panel"
            text = f"On the largest circle in the {part}, rms, in Noll's order."
        elif name == "Aperture":
            text = "A checkerboard of π, pixel by pixel, sends the light around the circle away."
        self.explanation.setText(text)


def _phase(name: str, tip: str, value_rad: float = np.pi) -> NumberField:
    return NumberField(name, value_rad, 0.0, TURN_RAD, "rad", step=0.1, tip=tip)


def _length(name: str, value_px: float, least_px: float, tip: str) -> NumberField:
    return NumberField(name, value_px, least_px, MOST_PX, "px", step=1.0, tip=tip)


def _angle(name: str) -> NumberField:
    tip = "From x (right) towards y (down)."
    return NumberField(name, 0.0, -180.0, 180.0, "°", step=15.0, tip=tip)
