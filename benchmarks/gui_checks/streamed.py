"""The whole window while a camera streams and a training computes: how long its event loop is away."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.claims import claim
from benchmarks.gui_checks.display import screen
from benchmarks.gui_checks.live import seen
from benchmarks.parts import Outcome, Setting

CAMERA_PER_S, BITS = 30.0, 16
WAYS = ("window", "drawImage", "QThread")
"""Ours, and peers: the least that shows a frame, and the camera in a thread of the window's process."""


def measure(setting: Setting) -> Outcome:
    """Measure the window, and its peers beside the same training."""
    frames = setting.amount("stream: frames", smoke=20, quick=300, full=1800)
    figures: dict[str, Any] = {}
    if hasattr(os, "getloadavg"):
        figures["load_before"] = os.getloadavg()[0]
    with screen() as environment, training():
        for way in WAYS:
            setting.say(f"stream: {way}, beside a training ...")
            figures[way] = seen(environment, way, BITS, CAMERA_PER_S, frames)
    ours = figures["window"]
    where = "1920 x 1200 uint16 at 30 frames/s beside a training on the twin"
    claims = [
        claim(f"{where}: event-loop gap at p99 (ms)", ours["gap_p99_ms"], "<= 50"),
        claim(f"{where}: longest event-loop gap (ms)", ours["gap_max_ms"], "<= 150"),
        claim(f"{where}: frames/s shown", ours["shown_per_s"], ">= 28"),
    ]
    return Outcome(claims, figures)


@contextmanager
def training() -> Iterator[None]:
    """Run a training on the twin in a process of its own, from its first step on."""
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
