"""Check that frames belong to their patterns: a rejected frame is taken again, counted, and never used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Literal, get_args

from drivers.errors import DeviceError, DeviceTimeoutError, TooMuchLightError
from drivers.types import Frame
from labdiff.bench.acquisition import BatchExposure, Exposures
from labdiff.bench.clipping import clipped_light
from labdiff.bench.fault_log import FaultLog

RejectReason = Literal["dropped", "duplicated", "late", "torn", "stale", "saturated"]
"""Reason for which a frame is rejected.

dropped: no frame came. duplicated: it was handed out before. late: it was exposed before its pattern had
settled. torn: the pattern changed during the exposure, or it is put together of two. stale: it shows
another pattern. saturated: more of its light falls on pixels at the largest count than is allowed."""

TRIES = 4
"""Number of times that a frame is taken; so many rejected frames in a row end the measurement at once."""
ROUNDING_S = 1e-6
"""Rounding error of time stamps that is tolerated."""


class FrameValidator:
    """Checks frames, and counts those that were taken and those that were rejected.

    camera: its name, for messages. frames_name_patterns: only simulated cameras know the pattern that they
    see. Else the check is that the pattern was displayed, it settled, and only then was exposed what has a
    new number. fault_log: where is recorded what no device knows of.
    """

    def __init__(self, camera: str, frames_name_patterns: bool, fault_log: FaultLog) -> None:
        self._camera = camera
        self._name_patterns = frames_name_patterns
        self._fault_log = fault_log
        self.taken = 0
        self.rejected: Counter[RejectReason] = Counter()
        self.last_sequence = -1

    def frames_of_batch(
        self, count: int, expose: Callable[[list[int]], Exposures], most_saturated: float
    ) -> list[Frame]:
        """Return the frames of the patterns of a batch, in their order.

        A rejected frame is taken again when all others have been, at most TRIES times in all.

        Args:
            count: Number of patterns.
            expose: Takes the frames of some of them, by their indices.
            most_saturated: Share of the light on saturated pixels beyond which a frame is rejected.

        Raises:
            DeviceTimeoutError: If a frame is still rejected then.
            TooMuchLightError: If it is for saturation.
        """
        accepted: dict[int, Frame] = {}
        errors: list[DeviceError] = []
        for _ in range(TRIES):
            missing = [index for index in range(count) if index not in accepted]
            if not missing:
                break
            in_a_row = 0
            with closing(expose(missing)) as exposures:
                for exposure in exposures:
                    frame = exposure.frame
                    reason = self._reason(exposure, exposure.index in accepted)
                    if isinstance(frame, Frame) and reason is None:
                        accepted[exposure.index] = frame
                        in_a_row = 0
                        continue
                    errors.append(self._error(exposure))
                    in_a_row += 1
                    if in_a_row == TRIES:
                        raise errors[-1]
            # Pixels last: they may be on their way while the next pattern settles.
            for index in missing:
                if index not in accepted:
                    continue
                share = clipped_light(accepted[index])
                if share > most_saturated:
                    frame = accepted.pop(index)
                    self.rejected["saturated"] += 1
                    errors.append(self._too_much_light(frame, share, most_saturated))
                    self._fault_log.record("camera", "saturated", errors[-1])
        if len(accepted) < count:
            raise errors[-1]
        return [accepted[index] for index in range(count)]

    def state(self) -> dict[str, int]:
        """Return the counts by name."""
        rejected = {f"frames|{reason}": number for reason, number in self.rejected.items()}
        return {"frames_taken": self.taken, "last_sequence": self.last_sequence, **rejected}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set the counts from a state; other names in it are ignored."""
        self.taken, self.last_sequence = int(state["frames_taken"]), int(state["last_sequence"])
        counts = {name: int(state.get(f"frames|{name}", 0)) for name in get_args(RejectReason)}
        self.rejected = Counter({name: number for name, number in counts.items() if number})

    def _reason(self, exposure: BatchExposure, known: bool) -> RejectReason | None:
        """Return why a frame is rejected, and count it; None if it belongs to its pattern."""
        reason: RejectReason | None = None
        frame = exposure.frame
        if not isinstance(frame, Frame):
            self.rejected["dropped"] += 1
            return "dropped"
        self.taken += 1
        displayed = exposure.displayed
        if known or frame.sequence <= self.last_sequence:
            reason = "duplicated"
        elif frame.timestamp_s < displayed.settled_s - ROUNDING_S:
            reason = "late"
        elif self._name_patterns and frame.pattern_id != displayed.pattern:
            reason = "torn" if frame.pattern_id is None else "stale"
        self.last_sequence = frame.sequence
        if reason is not None:
            self.rejected[reason] += 1
        return reason

    def _error(self, exposure: BatchExposure) -> DeviceError:
        if isinstance(exposure.frame, DeviceTimeoutError):
            return exposure.frame
        return DeviceTimeoutError(
            f"{self._camera}: {TRIES} frames in a row belonged to another pattern than "
            f"{exposure.displayed.pattern}; check that the SLM is not frozen, its timing, and the trigger"
        )

    def _too_much_light(self, frame: Frame, share: float, most: float) -> TooMuchLightError:
        return TooMuchLightError(
            f"{self._camera}: {share:.0%} of a frame's light falls on saturated pixels; allowed "
            f"are {most:.0%}. It was taken {TRIES} times: set an exposure shorter than "
            f"{frame.exposure_ms:.3g} ms, lower the laser's power, or calibrate the exposure anew"
        )
