"""Jobs that need no bench, for the window's tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np

from labdiff.errors import UserError
from labdiff.events import Event, Measured, Pictures, StageStarted, TrainingStep


def recorder_for(name: str, options: dict[str, Any]) -> Callable[[Event], None]:
    """Writes each event's kind as a line."""
    path = Path(options["out"]) / "run.h5"
    path.parent.mkdir(parents=True, exist_ok=True)

    def record(event: Event) -> None:
        with path.open("a") as file:
            file.write(f"{type(event).__name__}\n")

    return record


def open_job(name: str, options: dict[str, Any]) -> Generator[Event, None, dict[str, Any]]:
    """Training steps with pictures; options["bench"] chooses how it ends."""
    rng = np.random.default_rng(0)
    steps = 5 if options["bench"] == "short" else 100_000
    yield StageStarted("online learning", steps)
    yield Measured({"mse_identity": 0.17, "mse_wiener": 0.046})
    for step in range(steps):
        if options["bench"] == "fail":
            raise UserError("the camera is unplugged: plug it in")
        if options["bench"] == "die":
            os._exit(3)
        noise = rng.standard_normal((10, 10)).astype(np.float32)
        field = np.kron(noise, np.ones((10, 10), np.float32))
        guess = noise + 0.3 * rng.standard_normal((10, 10)).astype(np.float32)
        fall = float(np.exp(-step / 300))
        yield TrainingStep(
            "online",
            step,
            steps,
            0,
            0.03 + 0.2 * fall,
            0.04 + 1.5 * fall * float(rng.uniform(0.8, 1.2)),
            0.02 + 0.3 * fall,
            {"z_gap_mm": 5.7 + 0.1 * fall, "beam_tilt_x_mrad": 1.2, "source_waist_mm": 0.6},
            Pictures(noise, field, field**2, guess, noise),
        )
    return {}
