"""A block of events that are written to the run file together."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field, fields

from calibration.step import CalibrationStep
from labdiff.events import (
    AlignmentStep,
    Calibrated,
    Checkpoint,
    DenoiserStep,
    Event,
    GenerationStep,
    JobEnded,
    Measured,
    StageStarted,
    TrainingStep,
)
from labdiff.runs.hdf5_tables import Row
from labdiff.runs.picture_history import Moment


def _no_rows() -> defaultdict[str, list[Row]]:
    return defaultdict(list)


@dataclass(slots=True)
class Block:
    """Events since the last block. rows: by kind of event; of everything else the latest counts.

    rows_at_checkpoint: for each kind, the number of this block's rows that precede the checkpoint.
    """

    rows: defaultdict[str, list[Row]] = field(default_factory=_no_rows)
    moments: list[Moment] = field(default_factory=list)
    calibrated: dict[str, Calibrated] = field(default_factory=dict)
    generated: dict[int, GenerationStep] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    rows_at_checkpoint: dict[str, int] = field(default_factory=dict)
    ended: JobEnded | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return self == Block()

    def add(self, event: Event) -> None:
        """Add an event; one that a run file does not hold changes nothing."""
        match event:
            case TrainingStep():
                row = _numbers(event)
                row.update({f"alignment_{k}": v for k, v in event.alignment.items()})
                row.update({f"deviation_{k}": v for k, v in event.deviation.items()})
                if event.pictures is not None:
                    self.moments.append(Moment(len(self.rows["training"]), event, event.pictures))
                self.rows["training"].append(row)
            case DenoiserStep():
                self.rows["peers"].append(_numbers(event))
            case AlignmentStep():
                self.rows["alignment"].append({**_numbers(event), **event.alignment})
            case CalibrationStep():
                self.rows["calibration"].append(_numbers(event))
            case StageStarted():
                self.rows["stages"].append(_numbers(event))
            case Calibrated():
                self.calibrated[event.routine] = event
            case GenerationStep():
                self.generated[event.t] = event
            case Measured():
                self.figures.update(event.figures)
            case Checkpoint():
                self.checkpoint = event
                self.rows_at_checkpoint = {kind: len(rows) for kind, rows in self.rows.items()}
            case JobEnded():
                self.ended = event


def _numbers(event: Event) -> dict[str, float | str]:
    """Return the fields of an event that fit a column: numbers, texts, and NaN for None."""
    row: dict[str, float | str] = {"time_s": time.time()}
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, int | float):
            row[item.name] = float(value)
        elif value is None and item.name not in ("picture", "pictures"):
            row[item.name] = float("nan")
        elif isinstance(value, str):
            row[item.name] = value
    return row
