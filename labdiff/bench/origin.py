"""Where an open bench comes from: its bench file, the seed of its mock laboratory, its archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labdiff.config.bench import BenchFile


@dataclass(frozen=True, slots=True)
class BenchOrigin:
    """What a bench was opened from.

    file: The bench file. seed: Of a mock laboratory. archive: Folder of the bench's stored calibrations.
    """

    file: BenchFile
    seed: int
    archive: Path
