"""The live path alone: frames of 1920 x 1200 from another process to the screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.claims import claim
from benchmarks.gui_checks.display import screen
from benchmarks.parts import Outcome, Setting

CAMERA_PER_S = 90.0
"""The camera gives so many frames a second; more than is asked to be shown."""
WAYS = ("drawImage", "ImageItem", "QThread")


def measure(soak_frames: int | None, setting: Setting) -> Outcome:
    """Measure every way to show frames; `soak_frames`: of the soak, None for as many as the scale has."""
    short = setting.amount("live: frames of each way", smoke=20, quick=450, full=1500)
    frames = soak_frames or setting.amount("live: soak's frames", smoke=60, quick=900, full=20_000)
    say = setting.say
    figures: dict[str, Any] = {}
    if hasattr(os, "getloadavg"):
        figures["load_before"] = os.getloadavg()[0]  # frames a second mean little on a busy machine
    with screen() as environment:
        for way in ("labdiff", *WAYS):
            say(f"live: {way}, uint8 ...")
            figures[f"{way} uint8"] = seen(environment, way, 8, CAMERA_PER_S, short)
        for way in ("labdiff", "ImageItem"):
            say(f"live: {way}, uint16 of 12 bits ...")
            figures[f"{way} uint16"] = seen(environment, way, 12, CAMERA_PER_S, short)
        say(f"live: {frames} frames without a pause ...")
        soak = figures["soak"] = seen(environment, "labdiff", 8, CAMERA_PER_S, frames)
    alone = figures["labdiff uint8"]
    claims = [
        claim("live path, 1920 x 1200 uint8, frames/s shown", alone["shown_per_s"], ">= 60"),
        claim(
            "live path, 1920 x 1200 uint16, frames/s shown",
            figures["labdiff uint16"]["shown_per_s"],
            ">= 60",
        ),
        claim("live path, event-loop gap at p99 (ms)", alone["gap_p99_ms"], "<= 50"),
        claim(
            "live path, frames/s over those of a window that only draws the image",
            alone["shown_per_s"] / figures["drawImage uint8"]["shown_per_s"],
            ">= 0.9",
        ),
        *(
            claim(
                f"live path, {kind}, CPU time a frame over that of pyqtgraph's ImageItem alone",
                figures[f"labdiff {kind}"]["cpu_ms_a_frame"]
                / figures[f"ImageItem {kind}"]["cpu_ms_a_frame"],
                "<= 1",
            )
            for kind in ("uint8", "uint16")
        ),
        claim(
            f"soak of {frames} frames, growth of memory over that at the start",
            soak["memory_growth"],
            "<= 0.03",
        ),
        claim(f"soak of {frames} frames, longest stall (ms)", soak["stall_max_ms"], "<= 250"),
    ]
    return Outcome(claims, figures)


def seen(
    environment: Mapping[str, str], way: str, bits: int, frames_per_s: float, frames: int
) -> dict[str, Any]:
    """Return what one window in a process of its own measured."""
    asked = [way, str(bits), str(frames_per_s), str(frames)]
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.gui_checks.live_window", *asked],
        cwd=Path(__file__).parents[2],
        env={**environment, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in found.items()}
