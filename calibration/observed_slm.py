"""What a routine works with: an SLM, the camera that sees what it does, and the clock of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from drivers.protocols import SLM, Camera
from drivers.types import Frame


class TimeSource(Protocol):
    """The clock on which the camera's timestamps are; simulated benches have their own."""

    def now_s(self) -> float:
        """Return the time, seconds."""
        ...

    def sleep_s(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class ObservedSLM:
    """An SLM and the camera that sees what it does.

    Attributes:
        slm: on which patterns are displayed.
        camera: that is exposed when they have settled.
        pedestal_counts: what the camera counts without light.
        settle: waits until a new pattern stands.
    """

    slm: SLM
    camera: Camera
    pedestal_counts: float
    settle: Callable[[], None]

    def counts(self, frame: Frame) -> npt.NDArray[np.float64]:
        """Return a frame's counts above the pedestal."""
        counts: npt.NDArray[np.float64] = frame.pixels.astype(np.float64) - self.pedestal_counts
        return counts

    def counts_with(self, panel_rad: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Display a phase (height, width), wait, and return a frame's counts above the pedestal."""
        self.slm.set_phase(panel_rad)
        self.settle()
        return self.counts(self.camera.get_frame())
