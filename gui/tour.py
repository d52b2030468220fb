"""The tour: generation without a bench, then bench, live view, calibration and training, in notes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import style

MARGIN_PX = 40
"""Distance of the notes from the window's edge."""
STEPS = (
    (
        "Generate",
        "Press <b>Generate</b>: sixteen digits form out of noise, step by step. The digital twin of the "
        "bench computes them with layers that were trained before; no bench is needed. The slider below "
        "the images goes back through the steps.",
    ),
    (
        "Bench",
        "Choose <b>mock</b>, a simulated bench, and press <b>Connect</b>. It hides imperfections that "
        "calibration has to find, as a real one does.",
    ),
    (
        "Live",
        "Tick <b>Laser on</b> in the bench panel and start the live view: the camera shows the light that "
        "has passed all layers. <b>Camera desk</b>, <b>Auto</b> finds the exposure.",
    ),
    (
        "Calibration",
        "Press <b>Update outdated</b>: about three minutes, with a picture of each measurement. The "
        "results are stored for the next time.",
    ),
    (
        "Training",
        "Press <b>Quick</b>, then <b>Start</b>. The predicted noise becomes the true noise, and the "
        "bench's loss falls towards that of the best linear predictor (Wiener).",
    ),
)


class Tour(QFrame):
    """A note over the window; each of its steps brings up a panel."""

    def __init__(self, window: QWidget, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self.setObjectName("tour")
        self.setAutoFillBackground(True)
        self._window, self._docks, self._step = window, docks, 0
        self._title = QLabel()
        self._text = QLabel()
        self._text.setObjectName("tour_text")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._next = QPushButton("Next")
        self._next.setObjectName("tour_next")
        self._next.clicked.connect(self._advance)
        leave = QPushButton("Leave the tour")
        leave.setObjectName("tour_leave")
        leave.clicked.connect(self.deleteLater)
        buttons = QHBoxLayout()
        buttons.addWidget(leave)
        buttons.addStretch(1)
        buttons.addWidget(self._next)
        layout = QVBoxLayout(self)
        layout.addWidget(self._title)
        layout.addWidget(self._text)
        layout.addLayout(buttons)
        chosen = style.theme()
        self.setStyleSheet(
            f"#tour {{ background: {chosen.raised}; border: 2px solid {chosen.accent};"
            " border-radius: 0.5em; }"
        )

    def start(self) -> None:
        """Show the first step."""
        self._step = 0
        self._show()

    def _advance(self) -> None:
        self._step += 1
        if self._step == len(STEPS):
            self.deleteLater()
            return
        self._show()

    def _show(self) -> None:
        panel, text = STEPS[self._step]
        self._title.setText(f"<b>{self._step + 1} of {len(STEPS)}: {panel}</b>")
        self._text.setText(text)
        self._next.setText("Done" if self._step + 1 == len(STEPS) else "Next")
        self._docks[panel].show()
        self._docks[panel].raise_()
        window = self._window
        width = min(46 * self.fontMetrics().averageCharWidth(), window.width() // 2)
        self.setFixedWidth(width)
        self.adjustSize()
        # Beside the panel that is explained, on the side with more room: its pictures stay in sight.
        dock = self._docks[panel]
        left = dock.mapTo(window, dock.rect().topLeft()).x()
        right = window.width() - left - dock.width()
        x = MARGIN_PX if left > right else window.width() - self.width() - MARGIN_PX
        self.move(x, window.height() - self.height() - 60)
        self.show()
        self.raise_()
