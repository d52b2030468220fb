"""The bar above all docks: menus, the safe state, the state of bench and job."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QMenuBar,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.notice_bar import NoticeBar
from gui.widgets.plain_label import PlainLabel
from gui.widgets.safe_button import SafeButton


class TopBar(QWidget):
    """Stays above the docks wherever these are moved.

    Args:
        window: The main window, over which notices are shown.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.menus = QMenuBar()
        self.safe = SafeButton()
        self.bench_status = PlainLabel("no bench")
        self.bench_status.setObjectName("bench_status")
        self.job_status = PlainLabel("")
        self.job_status.setObjectName("job_status")
        self.job_left = PlainLabel()
        self.job_left.setObjectName("job_left")
        # As wide as its longest text: nothing moves when the numbers change.
        self.job_left.setMinimumWidth(
            self.fontMetrics().horizontalAdvance("100%, about 10 min 00 s left")
        )
        self.progress = QProgressBar()
        self.progress.setObjectName("job_progress")
        self.progress.setToolTip("The whole job, by what its stages took the last time")
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        kept = self.progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # a job that begins moves nothing
        self.progress.setSizePolicy(kept)
        self.progress.hide()
        self.progress.setFixedWidth(12 * self.fontMetrics().averageCharWidth())
        self.notice = NoticeBar(window)
        line = QHBoxLayout()
        line.setContentsMargins(6, 2, 10, 4)
        # Its text takes what room there is, and moves nothing when it becomes longer.
        self.bench_status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line.addWidget(self.bench_status, 1)
        for widget in (self.job_status, self.progress, self.job_left):
            line.addWidget(widget)
        line.addWidget(self.safe)  # at the right end: no menu that drops down covers it
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.menus)
        layout.addLayout(line)

    def show_progress(self, fraction: float | None, left: str = "") -> None:
        """Show how far the job is, and how long it still takes; None for no job."""
        self.progress.setValue(0 if fraction is None else round(1000 * fraction))
        self.progress.setVisible(fraction is not None)
        self.job_left.setText(left)

    def add_action(self, menu: QMenu, text: str, keys: str, act: Callable[[], object]) -> QAction:
        """Add an entry to a menu, and return it.

        Args:
            menu: The menu.
            text: Text of the entry.
            keys: Keyboard shortcut, or "" for none.
            act: Called when the entry is chosen.
        """
        action = QAction(text, self)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _=False: act())
        menu.addAction(action)
        return action
