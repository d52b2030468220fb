"""What is kept beside recorded frames, so that they can be understood without the window."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gui.process.frame_ring import NumberedFrame

NO_PATTERN = -1


@dataclass(frozen=True, slots=True)
class About:
    """bench: its name. bit_depth: of the camera; maximum_counts: of a saturated pixel.

    sensor_height, sensor_width: of the whole sensor. start_time: of the recording, ISO 8601, UTC.
    """

    bench: str
    bit_depth: int
    maximum_counts: int
    sensor_height: int
    sensor_width: int
    start_time: str


def row_of(entry: NumberedFrame) -> dict[str, int | float]:
    """What is known of one frame; a pattern that is not known is -1."""
    frame = entry.frame
    row = {name: value for name, value in asdict(frame).items() if name not in ("pixels", "roi")}
    row["pattern_id"] = NO_PATTERN if frame.pattern_id is None else frame.pattern_id
    roi: dict[str, Any] = {f"roi_{name}": value for name, value in asdict(frame.roi).items()}
    return {"number": entry.number, **row, **roi}
