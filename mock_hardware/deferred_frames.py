"""Frames whose light is still being computed while the bench goes on."""

from __future__ import annotations

from concurrent.futures import Future

from drivers.types import CountArray, Frame, PatternId, Roi

Readout = tuple[CountArray, float]
"""Pixels (height, width), and the share of them that is saturated."""


class DeferredFrame(Frame):
    """A frame whose pixels may still be computed when it is handed out.

    Reading the pixels waits for them. What they show was fixed when the exposure ended, so that many
    frames can be computed side by side. in_hand_s: time at which the camera has read it out.
    """

    __slots__ = ("_readout", "in_hand_s")
    _readout: Future[Readout]
    in_hand_s: float

    def __init__(
        self,
        readout: Future[Readout],
        exposure_ms: float,
        timestamp_s: float,
        sequence: int,
        pattern_id: PatternId | None,
        roi: Roi,
        in_hand_s: float,
    ) -> None:
        object.__setattr__(self, "_readout", readout)
        object.__setattr__(self, "exposure_ms", exposure_ms)
        object.__setattr__(self, "timestamp_s", timestamp_s)
        object.__setattr__(self, "sequence", sequence)
        object.__setattr__(self, "pattern_id", pattern_id)
        object.__setattr__(self, "roi", roi)
        object.__setattr__(self, "in_hand_s", in_hand_s)

    def with_pixels_of(self, other: DeferredFrame) -> DeferredFrame:
        """Return this frame with the pixels of another one, as a driver delivers that is late."""
        return DeferredFrame(
            other._readout,
            self.exposure_ms,
            self.timestamp_s,
            self.sequence,
            self.pattern_id,
            self.roi,
            self.in_hand_s,
        )

    @property
    def pixels(self) -> CountArray:
        """Raw counts, (height, width), uint16."""
        pixels: CountArray = self._readout.result()[0]
        return pixels

    @property
    def saturated_fraction(self) -> float:
        """Share of pixels at the camera's largest count."""
        return float(self._readout.result()[1])
