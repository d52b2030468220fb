"""The whole window while a camera streams and a training computes: how long its event loop is away."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.claims import Claim, claim
from benchmarks.gui_checks.display import screen
from benchmarks.gui_checks.live import seen

CAMERA_PER_S, BITS = 30.0, 16
FRAMES, QUICK_FRAMES = 1800, 300
WAYS = ("window", "drawImage", "QThread")
"""Ours, and peers: the least that shows a frame, and the camera in a thread of the window's process."""


def measure(quick: bool, say: Callable[[str], None]) -> tuple[list[Claim], dict[str, Any]]:
    """Claims of the window, and the figures of its peers beside the same training."""
    frames = QUICK_FRAMES if quick else FRAMES
    figures: dict[str, Any] = {}
    if hasattr(os, "getloadavg"):
        figures["load_before"] = os.getloadavg()[0]
    with screen() as environment, training():
        for way in WAYS:
            say(f"stream: {way}, beside a training ...")
            figures[way] = seen(environment, way, BITS, CAMERA_PER_S, frames)
    ours = figures["window"]
    where = "1920 x 1200 uint16 at 30 frames/s beside a training on the twin"
    return [
        claim(f"{where}: event-loop gap at p99 (ms)", ours["gap_p99_ms"], "<= 50"),
        claim(f"{where}: longest event-loop gap (ms)", ours["gap_max_ms"], "<= 150"),
        claim(f"{where}: frames/s shown", ours["shown_per_s"], ">= 28"),
    ], figures


@contextmanager
def training() -> Iterator[None]:
    """A training on the twin in a process of its own, well under way."""
    with tempfile.TemporaryDirectory() as place:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.gui_checks.twin_training",
                str(Path(place) / "run.h5"),
            ],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        if child.stdout.readline().strip() != "training":
            raise RuntimeError("the training beside the window did not begin")
        try:
            yield
        finally:
            child.terminate()
            child.wait()
