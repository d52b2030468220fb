"""The camera's picture while nothing else is done, and of each batch while a job measures."""

from __future__ import annotations

from pathlib import Path

import qtawesome as qta
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import style
from gui.camera_desk.desk import CameraDesk
from gui.camera_desk.desk_split import DeskSplit
from gui.live.view import LiveView
from gui.process.frame_feed import FrameFeed
from gui.process.frame_ring import FrameRing
from gui.widgets.elided_label import ElidedLabel
from labdiff.config.simulated import with_simulated
from labdiff.engine import commands as ask
from labdiff.engine.status import BenchState

DESK_MS = 500
"""Time between two updates of the frame rate and of the free room on the disk."""


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
        self.split = DeskSplit(self.view, self.desk)
        self._status = ElidedLabel("live_status")
        top = QHBoxLayout()
        top.addWidget(self.live)
        top.addWidget(self._status, 1)
        top.addWidget(self.split.button)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.split, 1)
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

    def _paint(self) -> None:
        self.live.setIcon(qta.icon("mdi6.video-outline", color=style.theme().text))
