"""Fields that the mouse wheel leaves alone: scrolling a panel must not move the bench."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox


class NumberField(QDoubleSpinBox):
    """A number with its unit; the wheel passes on to whatever scrolls around it."""

    def __init__(self, low: float, high: float, decimals: int = 3, unit: str = "") -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSuffix(f" {unit}" if unit else "")
        self.setKeyboardTracking(False)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not here."""
        event.ignore()


class CountField(QSpinBox):
    """A whole number; the wheel passes on."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.setRange(low, high)
        self.setKeyboardTracking(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not here."""
        event.ignore()
