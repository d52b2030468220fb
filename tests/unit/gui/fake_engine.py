"""An engine without torch and without light, for the window's tests; the real one has tests of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np

from calibration.step import CalibrationStep
from drivers.types import Frame, Roi
from labdiff.engine import commands as ask
from labdiff.engine.status import (
    Answered,
    BenchState,
    DeviceState,
    EngineEvent,
    ErrorReport,
    JobState,
    Setting,
)
from labdiff.events import (
    Event,
    GenerationStep,
    JobEnded,
    Measured,
    Pictures,
    StageStarted,
    TrainingStep,
    ValidityChecked,
)

SENSOR = (256, 320)


class Engine:
    """Training of 50 steps (for ever with batch 7, dead with batch 13), images of 5 steps."""

    def __init__(self, tell: Callable[[EngineEvent], None], show: Callable[[Frame], None]) -> None:
        self._tell, self._show = tell, show
        self._exposure_ms, self._on, self._live = 2.0, False, False
        self._open = self._paused = False
        self._job: Iterator[Event] | None = None
        self._kind = ""
        self._frames = count(1)

    def laser_off(self) -> None:
        self._on = False

    def serve(self, take: Callable[[float], ask.Command | None]) -> None:
        while True:
            command = take(0.0 if self._job and not self._paused else 0.01)
            if isinstance(command, ask.Quit):
                return
            if command is not None:
                self._obey(command)
            elif self._job is not None and not self._paused:
                self._step()
            elif self._live:
                self._expose()

    def _obey(self, command: ask.Command) -> None:
        if isinstance(command, ask.Requested):
            self._obey(command.command)
            self._tell(Answered(command.number, ""))
            return
        match command:
            case ask.Connect():
                self._open = True
            case ask.SetExposure(exposure_ms):
                self._exposure_ms = exposure_ms
            case ask.SetEmission(on):
                self._on = on
            case ask.SetLive(on):
                self._live = on
            case ask.Train(options=options):
                self._begin("training", self._training(options.batch))
            case ask.Generate(request):
                self._begin("generation", self._images(request.count))
            case ask.Calibrate():
                self._begin("calibration", self._calibration())
            case ask.Pause() | ask.Resume():
                self._paused = isinstance(command, ask.Pause)
                self._tell(JobState(self._kind, "paused" if self._paused else "running", ""))  # type: ignore[arg-type]
            case ask.Stop():
                self._end(JobEnded("stopped", "stopped by the user"))
            case ask.SafeState():
                self._live = False
                self._end(JobEnded("stopped", "the bench was made safe"))
            case ask.ShowPhase():
                self._tell(ErrorReport("slm: frozen", "a trace"))
        self._tell_state()

    def _begin(self, kind: str, job: Iterator[Event]) -> None:
        self._kind, self._job, self._paused = kind, job, False
        self._tell(JobState(kind, "running", str(Path("runs", "gui-1", "run.h5"))))  # type: ignore[arg-type]

    def _step(self) -> None:
        assert self._job is not None
        try:
            self._tell(next(self._job))
        except StopIteration:
            self._end(JobEnded("completed", ""))

    def _end(self, how: JobEnded) -> None:
        if self._job is None:
            return
        self._job, self._paused = None, False
        self._tell(how)
        self._kind = ""
        self._tell(JobState("", "idle"))
        self._tell_state()

    def _training(self, batch: int) -> Iterator[Event]:
        yield StageStarted("online learning", 50)
        yield Measured({"mse_identity": 0.2, "mse_wiener": 0.05})
        for number in count() if batch == 7 else range(50):
            if batch == 13 and number == 10:
                os._exit(9)
            if batch == 7:
                time.sleep(0.002)
            noise = np.full((10, 10), number, np.float32)
            light = np.full((20, 20), np.nan if number % 7 == 0 else number, np.float32)
            yield TrainingStep(
                "online",
                number,
                50,
                0,
                0.1,
                0.2,
                0.01,
                alignment={"z_gap_mm": 5.7},
                deviation={"z_gap_mm": 0.01},
                frames_per_s=20.0,
                duty=0.97,
                pictures=Pictures(noise, light, light, noise, noise),
            )

    def _images(self, number: int) -> Iterator[Event]:
        yield StageStarted("generating on the twin", 5)
        for step in range(5):
            images = np.full((number, 10, 10), step / 5.0, np.float32)
            yield GenerationStep(step, 5, 900 - 200 * step, images)

    def _calibration(self) -> Iterator[Event]:
        yield ValidityChecked(
            (("dark level", "fresh", "as it was"), ("alignment", "stale", "it moved"))
        )
        yield StageStarted("alignment", 3)
        for index in range(3):
            picture = np.full((8, 8), index, np.float32)
            yield CalibrationStep("alignment", index, 3, f"frame {index}", picture)

    def _expose(self) -> None:
        number = next(self._frames)
        pixels = np.full(SENSOR, 100 + number % 50, np.uint16)
        roi = Roi(0, 0, *SENSOR)
        self._show(Frame(pixels, self._exposure_ms, time.monotonic(), number, None, 0.0, roi))

    def _tell_state(self) -> None:
        if not self._open:
            return
        exposure = Setting("exposure", self._exposure_ms, self._exposure_ms, "ms", 0.005, 1000.0)
        camera = DeviceState("camera", "mock", "mock camera", True, (exposure,))
        laser = DeviceState("laser", "mock", "mock laser", True)
        self._tell(
            BenchState(
                "fake",
                (camera, laser),
                self._on,
                self._live,
                SENSOR,
                12,
                (144, 640),
                (100, 100),
                9.2,
                850.0,
                "",
            )
        )
