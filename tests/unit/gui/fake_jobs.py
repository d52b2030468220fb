"""A short job for the window's tests; the real one has tests of its own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from labdiff.errors import UserError
from labdiff.events import Event, Measured, Pictures, StageStarted, TrainingStep
from labdiff.recorder import Recorder


@dataclass
class Job:
    options: dict[str, Any]
    recorder: Recorder | None

    def job(self) -> Generator[Event, None, None]:
        yield StageStarted("online learning", 50)
        yield Measured({"mse_identity": 0.2, "mse_wiener": 0.05})
        steps = count() if self.options["bench"] == "endless" else range(50)
        for number in steps:
            noise = np.full((10, 10), number, np.float32)
            light = np.full((20, 20), np.nan if number % 7 == 0 else number, np.float32)
            pictures = Pictures(noise, light, light, noise, noise)
            yield TrainingStep(
                "online",
                number,
                50,
                0,
                0.1,
                0.2,
                0.01,
                alignment={"z_gap_mm": 5.7},
                pictures=pictures,
            )


def open_job(name: str, options: dict[str, Any]) -> Job:
    if options["bench"] == "bad":
        raise UserError("bad.toml: no such bench file")
    return Job(options, Recorder(Path(options["out"]) / "run.h5", "", "{}", 0))
