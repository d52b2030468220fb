"""Where an open bench comes from: its bench file, the seed of its mock laboratory, its archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labdiff.config.bench import SHIPPED, BenchFile


@dataclass(frozen=True, slots=True)
class BenchOrigin:
    """What a bench was opened from.

    file: The bench file. seed: Of a mock laboratory. archive: Folder of the bench's stored calibrations.
    """

    file: BenchFile
    seed: int
    archive: Path


def archive_folder(bench: str, mock: bool, seed: int) -> Path:
    """Return where the calibrations of a bench lie: beside its file, or in runs/ for a shipped one.

    A mock bench is another one with every seed.

    Args:
        bench: name of a shipped bench, or path of a bench file.
        mock: whether its devices are simulated.
        seed: of the mock laboratory.
    """
    name = f"{Path(bench).stem}-seed{seed}" if mock else Path(bench).stem
    if bench in SHIPPED:
        return Path("runs", "calibration", name)
    return Path(bench).with_name(f"{name}.calibration")
