"""Fields that the mouse wheel leaves alone: scrolling a panel must not move the bench."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox


class NumberField(QDoubleSpinBox):
    """A number with its unit; the wheel scrolls what is around the field."""

    def __init__(self, low: float, high: float, decimals: int = 3, unit: str = "") -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSuffix(f" {unit}" if unit else "")
        self.setKeyboardTracking(False)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let what is around the field scroll."""
        event.ignore()


class CountField(QSpinBox):
    """A whole number; the wheel scrolls what is around the field."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.setRange(low, high)
        self.setKeyboardTracking(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let what is around the field scroll."""
        event.ignore()
