"""A number with its unit, for values of the bench."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox


class NumberBox(QDoubleSpinBox):
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
        super().__init__()
        self.setObjectName(name)
        self.setDecimals(decimals)
        self.setRange(least, most)
        self.setSingleStep(step)
        self.setSuffix(f" {unit}" if unit else "")
        self.setValue(value)
        self.setToolTip(tip)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let what lies around scroll."""
        event.ignore()
