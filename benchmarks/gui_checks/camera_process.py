"""A camera in a process of its own, or in a thread: the same few frames over and over."""

from __future__ import annotations

import time
from multiprocessing.synchronize import Event as Flag
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.types import Frame, Roi
from gui.process.frame_ring import FrameRing

SENSOR = (1200, 1920)
PICTURES = 8


def pictures(bits: int) -> list[npt.NDArray[Any]]:
    """Return fringes under a Gaussian with noise, each a little further; uint8 for 8 bits, else uint16."""
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[: SENSOR[0], : SENSOR[1]]
    envelope = np.exp(-(((rows - 600) / 400.0) ** 2) - ((columns - 960) / 640.0) ** 2)
    most = 2**bits - 1
    found = []
    for number in range(PICTURES):
        light = envelope * (0.5 + 0.5 * np.cos(columns / 9.0 + number))
        counts = 0.9 * most * light + rng.normal(0.05 * most, 0.01 * most, SENSOR)
        found.append(np.clip(counts, 0, most - 1).astype(np.uint8 if bits == 8 else np.uint16))
    return found


def frame_of(number: int, among: list[npt.NDArray[Any]]) -> Frame:
    """Return one frame of the endless series."""
    roi = Roi(0, 0, *SENSOR)
    return Frame(among[number % PICTURES], 5.0, time.perf_counter(), number, number, 0.0, roi)


def stream(name: str, bits: int, frames_per_s: float, frames: int, stop: Flag) -> None:
    """Put so many frames into the ring at this pace, or until `stop` is set."""
    ring = FrameRing.attach(name)
    among = pictures(bits)
    due_s = time.perf_counter()
    for number in range(frames):
        if stop.is_set():
            break
        ring.put(frame_of(number, among))
        due_s += 1.0 / frames_per_s
        time.sleep(max(0.0, due_s - time.perf_counter()))
    ring.close()
