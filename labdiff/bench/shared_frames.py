"""Frames of a state of the bench that one routine has taken and another one may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from drivers.types import Frame, Roi
from labdiff.bench.bench import Bench

State: TypeAlias = tuple[str, float, Roi, float, bool]
LONGEST_S = 30.0
"""Seconds after which a frame is not shared any more: benches drift."""
MOST_FRAMES = 8
"""Number of frames that are stored at most: cameras of 20 megapixels have large ones."""


@dataclass(slots=True)
class SharedFrames:
    """Frames by what they depend on: pattern, exposure, window, power, and whether the laser emits.

    A frame is handed out once: who measures noise needs frames that are independent. After a crash there
    are none, and the routine that is resumed takes its own.
    """

    _stored: list[tuple[State, Frame]] = field(default_factory=list)

    def note(self, bench: Bench, pattern: str, frames: list[Frame]) -> None:
        """Store frames of the present state.

        Args:
            bench: on which they were taken.
            pattern: name of the pattern that has settled.
            frames: that were taken of it.
        """
        state = _state(bench, pattern)
        self._stored += [(state, frame) for frame in frames]
        del self._stored[:-MOST_FRAMES]

    def take(self, bench: Bench, pattern: str) -> list[Frame]:
        """Return what is stored of the present state, and forget it.

        Args:
            bench: on which more frames will be taken.
            pattern: name of the pattern that has settled.
        """
        state, now_s = _state(bench, pattern), bench.clock.now_s()
        taken = [frame for stored, frame in self._stored if stored == state]
        self._stored = [each for each in self._stored if each[0] != state]
        return [frame for frame in taken if now_s - frame.timestamp_s <= LONGEST_S]


def _state(bench: Bench, pattern: str) -> State:
    camera, laser = bench.camera, bench.laser
    return pattern, camera.exposure_ms, camera.roi, laser.power_mw, laser.emission
