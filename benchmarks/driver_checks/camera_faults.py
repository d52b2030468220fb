"""Faults of cameras through the makers' libraries: the documented exception, and no hang."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceError,
    DeviceNotFoundError,
    DeviceTimeoutError,
)
from drivers.settings import CameraSettings
from tests.contracts.camera_scenes import SCENES, MissingLibrary, Scene

LATEST_S = 5.0
"""Longest time until an exception: the scenes' time-out of 2 s, exposure, and a busy computer."""
Fault = tuple[str, str, type[DeviceError], Callable[[Scene], object], Callable[[Scene], object]]


def measure(setting: Setting) -> Outcome:
    """Count how often each fault was not its exception, and time the slowest."""
    times = setting.amount("times of each fault", smoke=1, quick=3, full=50)
    claims: list[Claim] = []
    for back_end, fault, expected, make, ask in FAULTS:
        try:
            other, slowest_s = _meet(back_end, expected, make, ask, times)
        except MissingLibrary as error:
            claims.append(claim(f"{back_end}, {fault}: not run: {error}", 0, ">= 1"))
            continue
        claims += [
            claim(f"{back_end}, {fault}, {times} times: not {expected.__name__}", other, "<= 0"),
            claim(f"{back_end}, {fault}: slowest, s", slowest_s, f"<= {LATEST_S:g}"),
        ]
    return Outcome(claims)


def _meet(
    back_end: str,
    expected: type[DeviceError],
    make: Callable[[Scene], object],
    ask: Callable[[Scene], object],
    times: int,
) -> tuple[int, float]:
    other, slowest_s = 0, 0.0
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder, SCENES[back_end](Path(folder)) as scene:
            scene.camera.get_frame()
            make(scene)
            started_s = time.perf_counter()
            try:
                ask(scene)
                other += 1
            except DeviceError as error:
                other += not isinstance(error, expected)
            slowest_s = max(slowest_s, time.perf_counter() - started_s)
    return other, slowest_s


def _nothing(scene: Scene) -> None:
    pass


def _frame(scene: Scene) -> object:
    return scene.camera.get_frame()


def _again(serial: str) -> Callable[[Scene], object]:
    def open_again(scene: Scene) -> object:
        camera = scene.camera
        options = camera._options  # type: ignore[attr-defined]
        return type(camera).from_settings(CameraSettings(serial, camera.bit_depth, options))  # type: ignore[attr-defined]

    return open_again


def _fail_a_buffer(scene: Scene) -> None:
    nodes = scene.camera._camera  # type: ignore[attr-defined]
    nodes.ForceFailedBufferCount.Value = 1
    nodes.ForceFailedBuffer.Execute()


def _unplug(scene: Scene) -> None:
    scene.camera._camera.FirePnPCallback.Execute()  # type: ignore[attr-defined]


def _unload(scene: Scene) -> None:
    camera = scene.camera
    camera._core.unloadDevice(camera._label)  # type: ignore[attr-defined]


FAULTS: tuple[Fault, ...] = (
    ("basler", "failed buffer", DeviceTimeoutError, _fail_a_buffer, _frame),
    ("basler", "unplugged", DeviceDisconnectedError, _unplug, _frame),
    ("basler", "unknown serial number", DeviceNotFoundError, _nothing, _again("nope")),
    ("genicam", "in use", DeviceNotFoundError, _nothing, _again("1")),
    ("genicam", "unknown serial number", DeviceNotFoundError, _nothing, _again("nope")),
    ("micromanager", "gone", DeviceDisconnectedError, _unload, _frame),
    ("webcam", "no such camera", DeviceNotFoundError, _nothing, _again("file:nowhere.avi")),
)
