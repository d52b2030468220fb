"""The camera's picture while nothing else is done, and of each batch while a job measures."""

from __future__ import annotations

from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from gui import style
from gui.camera_desk.desk import CameraDesk
from gui.live.view import LiveView
from gui.process.frame_feed import FrameFeed
from gui.process.frame_ring import FrameRing
from gui.widgets.plain_label import PlainLabel
from labdiff.config.simulated import with_simulated
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState

DESK_MS = 500
"""Time between two updates of the frame rate and of the free room on the disk."""
BESIDE_CHARS = 100
"""Width of the panel, in characters, from which the desk lies beside the picture."""

MOST_PX = 10_000
"""Length that is asked for the picture: all that the desk leaves."""


class LivePanel(QWidget):
    """Starts the live view, and shows frames in it.

    Attributes:
        command_wanted: Emitted with a command of `labdiff.engine.commands`.
    """

    command_wanted = Signal(object)

    def __init__(self, out: Path) -> None:
        super().__init__()
        self.setObjectName("live_panel")
        self._camera: tuple[tuple[int, int], int, int] | None = None
        self._state = BenchState("", (), False, False)
        self.view = LiveView()
        self.view.set_folder(out / "frames")
        self.view.roi_wanted.connect(lambda roi: self.command_wanted.emit(ask.SetRoi(roi)))
        self.feed = FrameFeed(self.view.show_frame, lambda: self.view.recording, self)
        self.live = QPushButton("Live")
        self.live.setObjectName("live")
        self.live.setCheckable(True)
        self.live.setToolTip("Frames as fast as camera and screen allow, while no job runs")
        self.live.clicked.connect(lambda on: self.command_wanted.emit(ask.SetLive(on)))
        self.desk = CameraDesk(self.view)
        self.desk.command_wanted.connect(self.command_wanted)
        self.desk_shown = QToolButton()
        self.desk_shown.setText("Camera desk")
        self.desk_shown.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.desk_shown.setObjectName("desk_shown")
        self.desk_shown.setCheckable(True)
        self.desk_shown.setChecked(True)
        self.desk_shown.setToolTip("Show or fold the camera's settings, figures and recordings")
        self.desk_shown.toggled.connect(self.desk.setVisible)
        self._split = QSplitter()
        self._split.setObjectName("live_split")
        for widget, stretch in ((self.view, 1), (self.desk, 0)):
            self._split.addWidget(widget)
            self._split.setStretchFactor(self._split.count() - 1, stretch)
        self._split.setChildrenCollapsible(False)
        self._by_hand = False
        self._split.splitterMoved.connect(self._note_hand)
        self._status = PlainLabel()
        top = QHBoxLayout()
        top.addWidget(self.live)
        top.addWidget(self._status, 1)
        top.addWidget(self.desk_shown)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self._split, 1)
        self._clock = QTimer(self, interval=DESK_MS)
        self._clock.timeout.connect(self.desk.refresh)
        self._clock.start()
        style.style.changed.connect(self._paint)
        self._paint()
        self.show_state(self._state, busy=False)

    def start(self, ring: FrameRing) -> None:
        """Show the frames of a ring from now on."""
        self.feed.start(ring)

    def stop(self, reason: str) -> None:
        """Show no more frames of the ring, and why there are none."""
        self.feed.stop()
        self.view.clear(reason)

    def reset(self) -> None:
        """Forget the camera of the last bench and its frames."""
        self.stop("The bench is not connected")
        self._camera = None
        self.desk.reset()
        self.show_state(BenchState("", (), False, False), busy=False)

    def show_state(self, state: BenchState, busy: bool) -> None:
        """Show the state of the bench; while it is busy live frames cannot be asked for."""
        camera = (
            (state.sensor_shape, state.bit_depth, state.full_scale_counts)
            if state.devices
            else None
        )
        if camera is not None and camera != self._camera:
            shape, bit_depth, full_counts = camera
            self.view.set_camera(shape, bit_depth, full_counts=full_counts)
            self.view.set_bench(with_simulated(state.bench, state.simulated))
        self._camera, self._state = camera, state
        self.desk.show_state(state, busy)
        self.live.setEnabled(camera is not None and not busy)
        self.live.setChecked(state.live and not busy)
        status = "Connect a bench first."
        if camera is not None:
            status = "the frames of each batch, as the job measures them" if busy else ""
            if not busy and not state.emission:
                status = "the laser is off"
        self._status.setText(status)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the desk beside the picture, or below it where the panel is narrow."""
        wide = event.size().width() >= BESIDE_CHARS * self.fontMetrics().averageCharWidth()
        along = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if along != self._split.orientation():
            self._split.setOrientation(along)
            self._by_hand = False
        super().resizeEvent(event)
        self._place_desk()

    def _place_desk(self) -> None:
        """Give the desk as much room as it needs, unless the user has given it another."""
        if not self._by_hand:
            wide = self._split.orientation() == Qt.Orientation.Horizontal
            least, usual = self.desk.minimumSizeHint(), self.desk.sizeHint()
            self._split.setSizes([MOST_PX, least.width() if wide else usual.height()])

    def _note_hand(self) -> None:
        self._by_hand = True

    def _paint(self) -> None:
        self.desk_shown.setIcon(qta.icon("mdi6.tune-variant", color=style.theme().text))
        self.live.setIcon(qta.icon("mdi6.video-outline", color=style.theme().text))
