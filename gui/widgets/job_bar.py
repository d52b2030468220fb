"""The bar of a job's progress in a panel."""

from __future__ import annotations

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QProgressBar


class JobBar(QProgressBar):
    """Shows progress, and nothing, not even its frame, before a job begins; its place stays."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormat("%p %")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar if there is progress to show."""
        if self.value() >= self.minimum() or self.maximum() == self.minimum():
            super().paintEvent(event)
