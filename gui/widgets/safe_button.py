"""The button for the safe state: laser off, SLM flat."""

from __future__ import annotations

import qtawesome as qta
from PySide6.QtWidgets import QPushButton

from gui import style


class SafeButton(QPushButton):
    """A button that is always visible, and red in every theme."""

    def __init__(self) -> None:
        super().__init__("Laser off (safe state)")
        self.setObjectName("safe_state")
        self.setToolTip("Laser off at once, job ended, SLM flat (F12)")
        style.style.changed.connect(self._paint)
        self._paint()

    def _paint(self) -> None:
        chosen = style.theme()
        self.setIcon(qta.icon("mdi6.shield-alert", color=chosen.on_accent))
        self.setStyleSheet(
            f"#safe_state {{ background: {chosen.bad}; color: {chosen.on_accent}; font-weight: bold;"
            " padding: 0.35em 0.9em; border-radius: 0.3em; }"
        )
