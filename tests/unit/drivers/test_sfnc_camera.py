"""Frames of a trigger line and their numbers, and late ones: what no maker's emulator can play."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from drivers.camera.features import Features
from drivers.camera.gain import GainCamera
from drivers.camera.sfnc_camera import Grabbed, SfncCamera
from drivers.camera.sfnc_settings import SfncOptions
from drivers.errors import DeviceStateError, DeviceTimeoutError, DeviceValueError
from drivers.types import Roi


@dataclass
class Node:
    value: Any
    min: int = 0
    max: int = 0
    inc: int = 1
    symbolics: tuple[str, ...] = ()


class Played(SfncCamera):
    """A sensor of 32 x 64 in steps of 8 and 16; what is in `line` comes, in its order; None: a time-out."""

    def __init__(self, options: SfncOptions, number_before_first: int | None) -> None:
        self.nodes = {
            "PixelFormat": Node("Mono8", symbolics=("Mono8", "Mono12p", "RGB8")),
            "ExposureTime": Node(1000.0, 10, 10**6),
            "TriggerMode": Node("Off"),
            "TriggerSource": Node("Software", symbolics=("Software", "Line1")),
            "ResultingFrameRate": Node(500.0),
            "Width": Node(64, 16, 64, 16),
            "OffsetX": Node(0, inc=16),
            "Height": Node(32, 8, 32, 8),
            "OffsetY": Node(0, inc=8),
        }
        self.line: deque[int | None] = deque()
        self.started: list[int] = []
        features = Features(lambda name: self.nodes[name], (KeyError,), str)
        super().__init__("played", features, 12, options, number_before_first)

    def _start(self, buffers: int) -> None:
        self.started.append(buffers)

    def _stop(self) -> None:
        self.line.clear()  # what was on its way is lost with the stream

    def _fire(self) -> None:
        pass

    def _fetch(self, timeout_ms: float) -> Grabbed:
        number = self.line.popleft()
        if number is None:
            raise DeviceTimeoutError("played: no frame")
        shape = (self.nodes["Height"].value, self.nodes["Width"].value)
        size = shape[0] * shape[1] * 3 // 2
        return Grabbed(np.full(size, number, np.uint8), shape, number)

    def _gone(self) -> bool:
        return False

    def _release(self) -> None:
        pass


@pytest.mark.parametrize("before_first", [-1, 0])
def test_a_frame_of_a_burst_has_the_number_of_its_trigger_though_others_were_lost(
    before_first: int,
) -> None:
    camera = Played(SfncOptions(trigger_line="Line1"), before_first)
    with camera.triggered(16) as read:
        assert camera.nodes["TriggerSource"].value == "Line1" and camera.started == [16]
        camera.line.extend(before_first + 1 + number for number in (1, 2, 5))
        assert [read()[0] for _ in range(3)] == [1, 2, 5]
    assert camera.nodes["TriggerSource"].value == "Software"
    with camera.triggered(4) as read:
        camera.line.append(before_first + 1)
        number, frame = read()
        assert number == 0 and frame.sequence == 7, "the camera's own numbers go on"


def test_what_was_not_read_out_or_did_not_come_begins_the_stream_anew() -> None:
    camera = Played(SfncOptions(), None)
    camera.line.extend([1, 2])
    assert [frame.sequence for frame in camera.get_frames(2)] == [1, 2]
    assert len(camera.started) == 1
    camera.expose()
    camera.line.append(3)  # it comes, too late
    read = camera.expose()
    assert len(camera.started) == 2 and not camera.line
    camera.line.append(4)
    assert read().pixels[0, 0] == 4 | (4 & 0xF) << 8
    camera.line.append(None)
    with pytest.raises(DeviceTimeoutError):
        camera.get_frame()
    read = camera.expose()
    camera.line.append(5)
    assert read().sequence == 4 and len(camera.started) == 3


def test_a_window_is_read_in_steps_and_the_format_is_the_bench_files() -> None:
    camera = Played(SfncOptions(), None)
    assert camera.nodes["PixelFormat"].value == "Mono12p" and camera.bit_depth == 12
    camera.roi = Roi(9, 17, 5, 20)
    settings = {
        name: camera.nodes[name].value for name in ("OffsetX", "OffsetY", "Width", "Height")
    }
    assert settings == {"OffsetX": 16, "OffsetY": 8, "Width": 32, "Height": 8}
    read = camera.expose()
    camera.line.append(0xFF)
    frame = read()
    assert frame.pixels.shape == (5, 20) and frame.saturated_fraction == 1.0
    assert camera.timing.period_ms == pytest.approx(1.0 + 1.0 + 10.0)
    assert Played(SfncOptions(trigger_line="Line1"), 0).timing.period_ms == pytest.approx(10.0)


def test_what_it_has_not_is_said() -> None:
    with pytest.raises(DeviceValueError, match=r"trigger_line = 'Line3'; it has Software, Line1"):
        Played(SfncOptions(trigger_line="Line3"), None)
    with pytest.raises(DeviceValueError, match="binning = 2; its BinningHorizontal goes to 1"):
        Played(SfncOptions(binning=2), None)
    with pytest.raises(DeviceStateError, match=r"camera\.options\.trigger_line"):
        Played(SfncOptions(), None).triggered(1)


def test_a_gain_is_set_where_the_camera_has_one_in_decibels() -> None:
    without = Played(SfncOptions(), None)
    assert without.gain_range_db is None and without.gain_db is None
    with pytest.raises(DeviceValueError, match="has no gain"):
        without.gain_db = 3.0
    without.nodes["Gain"] = Node(0.0, 0, 24)
    without.gain_db = 3.5
    assert without.nodes["Gain"].value == without.gain_db == 3.5
    assert without.gain_range_db == (0.0, 24.0) and isinstance(without, GainCamera)
    with pytest.raises(DeviceValueError, match="gain 30 dB; allowed is 0 ... 24 dB"):
        without.gain_db = 30.0
