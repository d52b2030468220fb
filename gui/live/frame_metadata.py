"""The metadata of recorded frames, with which they can be understood without the window."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gui.process.frame_ring import NumberedFrame

NO_PATTERN = -1


@dataclass(frozen=True, slots=True)
class RecordingMetadata:
    """What holds for all frames of a recording.

    Attributes:
        bench: Name of the bench.
        bit_depth: Bits of a count of the camera.
        maximum_counts: Counts of a saturated pixel.
        sensor_height: Rows of the whole sensor.
        sensor_width: Columns of the whole sensor.
        start_time: Start of the recording, ISO 8601, UTC.
        note: What the user wrote about it.
    """

    bench: str
    bit_depth: int
    maximum_counts: int
    sensor_height: int
    sensor_width: int
    start_time: str
    note: str = ""


def row_of(entry: NumberedFrame) -> dict[str, int | float]:
    """Return the metadata of one frame, without its pixels; an unknown pattern is -1."""
    frame = entry.frame
    row = {name: value for name, value in asdict(frame).items() if name not in ("pixels", "roi")}
    row["pattern_id"] = NO_PATTERN if frame.pattern_id is None else frame.pattern_id
    roi = {f"roi_{name}": value for name, value in asdict(frame.roi).items()}
    return {"number": entry.number, **row, **roi}
