"""Frames proven to be of their patterns: one that is not is taken again, counted, and never used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Literal, get_args

from drivers.errors import DeviceError, DeviceTimeoutError, TooMuchLightError
from drivers.types import Frame
from labdiff.bench.acquisition import Exposed, Exposures
from labdiff.bench.fault_log import FaultLog

RejectReason = Literal["dropped", "duplicated", "late", "torn", "stale", "saturated"]
"""dropped: no frame came. duplicated: it was handed out before. late: it was exposed before its pattern
stood. torn: the pattern changed during the exposure, or it is put together of two. stale: it shows
another pattern. saturated: more of its pixels are at the largest count than is allowed."""

TRIES = 4
"""Of a frame; and so many frames in a row without a good one end the measurement at once."""
ROUNDING_S = 1e-6


class FrameValidator:
    """The proof, and the book-keeping: frames taken so far, and how many of them had which flaw.

    camera: its name, for messages. frames_name_patterns: only simulated cameras know the pattern that
    they see. Else the proof is that the pattern was written, it settled, and only then was exposed what
    has a new number. troubles: where is noted what no device knows of.
    """

    def __init__(self, camera: str, frames_name_patterns: bool, troubles: FaultLog) -> None:
        self._camera = camera
        self._name_patterns = frames_name_patterns
        self._troubles = troubles
        self.taken = 0
        self.flaws: Counter[RejectReason] = Counter()
        self.last_sequence = -1

    def of_batch(
        self, count: int, expose: Callable[[list[int]], Exposures], most_saturated: float
    ) -> list[Frame]:
        """The frames of `count` patterns. expose: takes those of some of them, by their places.

        What is not proven is taken again when all others have been, at most TRIES times in all.
        Raises DeviceTimeoutError or TooMuchLightError when that does not help.
        """
        proven: dict[int, Frame] = {}
        error: DeviceError | None = None
        for _ in range(TRIES):
            missing = [place for place in range(count) if place not in proven]
            if not missing:
                break
            in_a_row = 0
            with closing(expose(missing)) as exposures:
                for exposed in exposures:
                    frame, flaw = exposed.frame, self._flaw(exposed, exposed.place in proven)
                    if isinstance(frame, Frame) and flaw is None:
                        proven[exposed.place] = frame
                        in_a_row = 0
                        continue
                    error = self._error(exposed)
                    in_a_row += 1
                    if in_a_row == TRIES:
                        raise error
            # Pixels last: they may be on their way while the next pattern settles.
            for place in missing:
                if place in proven and proven[place].saturated_fraction > most_saturated:
                    self.flaws["saturated"] += 1
                    error = self._too_much_light(proven.pop(place), most_saturated)
                    self._troubles.note("camera", "saturated", error)
        if len(proven) < count:
            assert error is not None
            raise error
        return [proven[place] for place in range(count)]

    def state(self) -> dict[str, int]:
        """The counts, by name."""
        flaws = {f"frames|{flaw}": number for flaw, number in self.flaws.items()}
        return {"frames_taken": self.taken, "last_sequence": self.last_sequence, **flaws}

    def restore(self, state: Mapping[str, Any]) -> None:
        """As it was; other names are passed over."""
        self.taken, self.last_sequence = int(state["frames_taken"]), int(state["last_sequence"])
        flaws = {name: int(state.get(f"frames|{name}", 0)) for name in get_args(RejectReason)}
        self.flaws = Counter({name: number for name, number in flaws.items() if number})

    def _flaw(self, exposed: Exposed, known: bool) -> RejectReason | None:
        """What keeps a frame from being of its pattern, and counted; None if nothing does."""
        flaw: RejectReason | None = None
        frame = exposed.frame
        if not isinstance(frame, Frame):
            self.flaws["dropped"] += 1
            return "dropped"
        self.taken += 1
        if known or frame.sequence <= self.last_sequence:
            flaw = "duplicated"
        elif frame.timestamp_s < exposed.stands_s - ROUNDING_S:
            flaw = "late"
        elif self._name_patterns and frame.pattern_id != exposed.pattern:
            flaw = "torn" if frame.pattern_id is None else "stale"
        self.last_sequence = frame.sequence
        if flaw is not None:
            self.flaws[flaw] += 1
        return flaw

    def _error(self, exposed: Exposed) -> DeviceError:
        if isinstance(exposed.frame, DeviceTimeoutError):
            return exposed.frame
        return DeviceTimeoutError(
            f"{self._camera}: {TRIES} frames in a row belonged to another pattern than "
            f"{exposed.pattern}; check that the SLM is not frozen, its timing, and the trigger"
        )

    def _too_much_light(self, frame: Frame, most: float) -> TooMuchLightError:
        return TooMuchLightError(
            f"{self._camera}: {frame.saturated_fraction:.0%} of a frame's pixels are saturated; allowed "
            f"are {most:.0%}. It was taken {TRIES} times: set an exposure shorter than "
            f"{frame.exposure_ms:.3g} ms, lower the laser's power, or calibrate the exposure anew"
        )
