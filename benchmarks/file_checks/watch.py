"""Run workers over a list of files and gather what each file did."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.file_checks.case import Case
from benchmarks.parts import NotPossibleError

PEAK_MB = 1024
"""Memory that reading a file may take beyond what the programs take without one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One file and what its reader did: read, refused, nameless, traceback, overwritten, hang, memory."""

    case: Case
    outcome: str
    message: str


def read_all(cases: Sequence[Case]) -> list[Seen]:
    """Read the files in watched processes; a file on which a worker ends counts as a hang.

    Raises:
        NotPossibleError: On Windows, which cannot limit the processor time of a process.
    """
    if sys.platform == "win32":
        raise NotPossibleError("the processor time of a process cannot be limited on Windows")
    from benchmarks.file_checks.worker import CPU_S

    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as listed:
        json.dump([(case.reader, str(case.path)) for case in cases], listed)
        listed.flush()
        seen: list[Seen] = []
        while len(seen) < len(cases):
            seen += _rows(cases, Path(listed.name), len(seen))
            if len(seen) < len(cases):
                reason = f"its worker ended: more than {CPU_S} s of CPU, or out of memory"
                seen.append(Seen(cases[len(seen)], "hang", reason))
        return seen


def _rows(cases: Sequence[Case], listed: Path, first: int) -> list[Seen]:
    command = [sys.executable, "-m", "benchmarks.file_checks.worker", str(listed), str(first)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
    seen: list[Seen] = []
    peak_mb: int | None = None
    for line in done.stdout.splitlines():
        row = json.loads(line)
        grown = 0 if peak_mb is None else row["peak_mb"] - peak_mb
        peak_mb = row["peak_mb"]
        result = "memory" if grown > PEAK_MB else row["outcome"]
        seen.append(Seen(cases[row["number"]], result, row["message"]))
    return seen
