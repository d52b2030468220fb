"""A disk that takes no more while a run is recorded: a clear end, and what was written is whole.

`python -m benchmarks.mock_checks.full_disk BYTES FILE` records until the system refuses, and prints how
it ended.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.children import environment
from benchmarks.claims import claim
from benchmarks.parts import NotPossibleError, Outcome, Setting
from benchmarks.posix_calls import limit_file_size
from labdiff.events import Checkpoint, Measured, TrainingStep
from labdiff.job import Job, run
from labdiff.runs.recorder import Recorder

BLOCKS, STEPS = 200, 5
LIMITS_BYTES = (100, 300_000)
"""From a file that cannot even be begun to one that has been written some dozen times."""
CLEAR = "UserError"


def measure(setting: Setting) -> Outcome:
    """Let no file grow beyond a limit, at limits of all sizes."""
    if sys.platform != "linux":
        raise NotPossibleError("the size of files is limited on Linux alone")
    sizes = setting.amount("sizes of the disk", smoke=1, quick=4, full=60)
    rng = np.random.default_rng(0)
    low, high = np.log(LIMITS_BYTES)
    limits = np.exp(rng.uniform(low, high, sizes)).astype(int)
    with tempfile.TemporaryDirectory() as folder:
        ends = [_end_of(int(limit), Path(folder) / f"{limit}.h5") for limit in limits]
    kinds = Counter(kind for kind, _ in ends)
    kinds_met = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    lost = sum(damaged for _, damaged in ends)
    claims = [
        claim(
            f"disk full at {len(limits)} sizes: ends without a clear UserError that names the file "
            f"({kinds_met})",
            len(limits) - kinds[CLEAR],
            "<= 0",
        ),
        claim(f"disk full at {len(limits)} sizes: files that lost what they had", lost, "<= 0"),
    ]
    return Outcome(claims)


def _end_of(limit_bytes: int, path: Path) -> tuple[str, bool]:
    """Return how a recording ended, CLEAR if it is as it should be, and whether the file is damaged."""
    child = subprocess.run(
        [sys.executable, "-m", __spec__.name, str(limit_bytes), str(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60.0,
    )
    reported: dict[str, Any] = {"kind": "silent", "message": "", "blocks": -1}
    for line in child.stdout.splitlines():
        reported |= json.loads(line)
    kind = str(reported["kind"])
    if child.returncode > 0:
        kind = f"exit code {child.returncode}"
    elif child.returncode < 0:
        kind = f"{signal.Signals(-child.returncode).name} of the interpreter"
    elif kind == CLEAR and str(path) not in str(reported["message"]):
        kind = f"{CLEAR} without the file"
    elif kind == CLEAR and "Traceback" in child.stderr:
        kind = f"{CLEAR} beside a traceback"
    blocks = int(reported["blocks"])
    return kind, blocks >= 0 and _rows(path) < blocks * STEPS


def _rows(path: Path) -> int:
    """Return the number of training steps that can be read; -1 if the file cannot."""
    try:
        with h5py.File(path, "r") as file:
            events = file["entry/events"]
            return int(events["training"].attrs["rows"]) if "training" in events else 0
    except OSError:
        return -1


def _record(limit_bytes: int, path: Path) -> None:
    """Record until the disk is full; report after each block how many there are, and how it ended."""
    limit_file_size(limit_bytes)

    def job() -> Job[None]:
        for number in range(BLOCKS):
            _report(blocks=number)
            for step in range(number * STEPS, (number + 1) * STEPS):
                yield TrainingStep("online", step, BLOCKS * STEPS, 0, 0.5, 0.1, 0.1)
            side = 20 + number
            yield Checkpoint({"phases": np.full((4, side, side), number)}, {"stage": "online"})
            yield Measured({"block": float(number)})  # with each the recorder writes what it has

    try:
        run(job(), record=[Recorder(path, "a bench", "{}", 0)])
    except Exception as error:
        _report(kind=type(error).__name__, message=str(error))


def _report(**values: str | int) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    _record(int(sys.argv[1]), Path(sys.argv[2]))
