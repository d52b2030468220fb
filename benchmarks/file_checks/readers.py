"""What a reader does with a file, as production reads it; run in a process that is watched."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks.file_checks.case import Reader
from benchmarks.file_checks.pattern_kinds import SHAPE
from calibration.result import CalibrationError
from drivers.errors import DeviceError
from labdiff.errors import UserError


def outcome(reader: Reader, path: Path) -> tuple[str, str]:
    """Read a file; return what happened and its message.

    "read", "refused" (a message that names the file), "nameless" (one that does not), "traceback",
    or "overwritten" if the file is another one afterwards.
    """
    before = _digest(path)
    try:
        _read(reader, path)
        result, message = "read", ""
    except (UserError, CalibrationError, DeviceError) as error:
        message = str(error)
        # A bench file with several mistakes has a line for each.
        lines = message.splitlines()
        named = bool(lines) and all(path.name in line or path.stem in line for line in lines)
        result = "refused" if named and len(message) <= 1500 * len(lines) else "nameless"
    except Exception as error:
        result, message = "traceback", f"{type(error).__name__}: {error}"
    return ("overwritten" if _digest(path) != before else result), message


def _read(reader: Reader, path: Path) -> None:
    match reader:
        case "images":
            from labdiff.data.image_set import load_images

            load_images(str(path), 12)
        case "pattern":
            from gui.slm_patterns.pattern_file import load_pattern

            load_pattern(path, SHAPE)
        case "bench":
            from labdiff.bench.open import open_bench
            from labdiff.config.bench import load_bench

            open_bench(load_bench(str(path)), 0).close()
        case "sweep":
            from labdiff.sweep.sweep_file import read_sweep

            read_sweep(path)
        case "run":
            from labdiff.reports.run_report import write_report
            from labdiff.reports.run_terminal import run_view
            from labdiff.runs.reader import read_run
            from labdiff.runs.summary import read_summary

            read_summary(path)
            run = read_run(path)
            run_view(run, 0.0)
            write_report(run, path.with_suffix(".html"))
        case "layers":
            from labdiff.session.layer_file import read_layers
            from labdiff.session.layer_options import options_of_layers

            options_of_layers(path)
            read_layers(path)
        case "archive":
            from calibration.archive import CalibrationArchive

            CalibrationArchive(path.parent).read(path)


def _digest(path: Path) -> str:
    """Return a digest of a file, or of the names and sizes in a folder."""
    if path.is_dir():
        listed = sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*"))
        return hashlib.sha256(repr(listed).encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()
