"""A number with its unit that has a name, a value and a step."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox

from gui.widgets.no_wheel_fields import NumberField


class NumberBox(NumberField):
    """A number that changes by typing, arrows and keys, and never by the mouse wheel.

    Args:
        name: Name of the widget.
        value: First value.
        least: Least allowed value.
        most: Greatest allowed value.
        unit: Unit shown behind the number.
        decimals: Number of decimals.
        step: Change by one press of an arrow.
        tip: Tool tip.
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
