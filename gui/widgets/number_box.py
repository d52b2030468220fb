"""A number with its unit, for values of the bench."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox

from gui.widgets.no_wheel_fields import NumberField


class NumberBox(NumberField):
    """Changes by typing, arrows and keys; never by a wheel that passes over it.

    unit: shown behind the number. step: of one arrow press.
    """

    def __init__(
        self,
        name: str,
        value: float,
        least: float,
        most: float,
        unit: str,
        *,
        decimals: int = 1,
        step: float = 1.0,
        tip: str = "",
    ) -> None:
        super().__init__(least, most, decimals, unit)
        self.setStepType(QDoubleSpinBox.StepType.DefaultStepType)
        self.setObjectName(name)
        self.setSingleStep(step)
        self.setValue(value)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
