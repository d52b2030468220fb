"""The digital twin of a bench as its archive has it, without the bench."""

from __future__ import annotations

from pathlib import Path

import torch

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from labdiff.session.calibrated_bench import CalibratedBench
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import load_parameter_vector, value_names


def stored_twin(bench: str, archive: Path) -> DigitalTwin:
    """Return the twin that the last alignment of a bench has found.

    Args:
        bench: Bench file, or name of a shipped bench.
        archive: Folder of the bench's calibrations.

    Raises:
        UserError: If no alignment is stored, or it is of another version.
    """
    name, text = bench_text(bench)
    calibrated = CalibratedBench(parse_bench(text, name))
    stored = CalibrationArchive(archive).latest(AlignmentFound.routine)
    if stored is None or not isinstance(stored.result, AlignmentFound):
        raise UserError(f"{archive}: no alignment is stored; calibrate first")
    found = stored.result
    if found.names != value_names(calibrated.twin):
        raise UserError(f"{archive}: the alignment is of another version; calibrate again")
    load_parameter_vector(calibrated.twin, torch.from_numpy(found.value).float())
    calibrated.precompensate()
    return calibrated.twin
