"""What a hologram has become: pattern, predicted and measured frame, figures, history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from labdiff.holograms.figures import HologramFigures
from labdiff.holograms.target import HologramTarget, Plane


@dataclass(frozen=True, slots=True)
class HologramRecord:
    """One frame of the camera in the loop.

    Attributes:
        frame: Number of the frame, from 0 on.
        figures: Of what the camera saw.
        objective: What the optimisation makes small, of the same.
        discrepancy: 1 - correlation of camera and twin.
        refined: Whether the twin was changed by it.
        exposure_ms: Of the camera.
    """

    frame: int
    figures: HologramFigures
    objective: float
    discrepancy: float
    refined: bool
    exposure_ms: float


@dataclass(frozen=True, slots=True)
class HologramResult:
    """The best pattern so far, and how it came about.

    Attributes:
        target: What was wanted.
        pattern_rad: (H, W) of the whole SLM, radians.
        levels: (H, W), grey levels of the same.
        predicted: (h, w), what the twin says of the best pattern.
        measured: (h, w), what the camera saw of it: mean of `checked_frames` frames, else of the best.
        predicted_figures: Figures of `predicted`.
        figures: Figures of `measured`.
        history: One record a frame.
        best_frame: Number of the frame with the best pattern.
        checked_frames: Number of frames that were taken of it again at the end; 0 if it was stopped before.
        outcome: Whether it came to its end.
    """

    target: HologramTarget
    pattern_rad: Plane
    levels: npt.NDArray[np.unsignedinteger]
    predicted: Plane
    measured: Plane
    predicted_figures: HologramFigures
    figures: HologramFigures
    history: tuple[HologramRecord, ...]
    best_frame: int
    checked_frames: int = 0
    outcome: Literal["completed", "stopped"] = "stopped"

    @property
    def first(self) -> HologramFigures:
        """What the twin alone achieved: the figures of the first frame."""
        return self.history[0].figures

    def with_history(self, history: tuple[HologramRecord, ...]) -> HologramResult:
        """Return the same with more frames."""
        return replace(self, history=history)
