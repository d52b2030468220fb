"""Memory over ten thousand steps of online learning, with a bench, its thread and a recorder."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.children import python
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from benchmarks.small_benches import small_bench_text
from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result import Verdict
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import Event, TrainingStep
from labdiff.job import run
from labdiff.runs.recorder import Recorder
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train

WARM = 0.1
"""Share of the steps in which caches and the file's buffers may fill."""
BENCH = {
    "camera.shape": [48, 48],
    "cavity.z_gap_mm": 0.5,
    "mock.imperfections": "none",
}


def measure(setting: Setting) -> Outcome:
    """Compare resident memory at the end with that after the first tenth, in a process of its own."""
    steps = setting.amount("steps", smoke=30, quick=1_000, full=10_000)
    if setting.smoke:
        setting.leave_out("a process of its own")
        with tempfile.TemporaryDirectory() as folder:
            found = grown(steps, Path(folder))
    else:
        child = python("-m", "benchmarks.fault_checks.memory", str(steps), check=True)
        found = json.loads(child.stdout.splitlines()[-1])
    claims = [
        claim(f"resident memory over {steps} steps, end over warm", found["ratio"], "<= 1.05"),
        claim("share of the time that writing the run file took", found["writing"], "<= 0.1"),
    ]
    return Outcome(claims, found)


def grown(steps: int, folder: Path) -> dict[str, float]:
    """Return megabytes after the warm-up and at most from then on, and the share of time of writing."""
    # Arrays of 20 x 20: more threads than one would only wait for each other.
    torch.set_num_threads(1)
    text = small_bench_text(20, 2, BENCH)
    config = parse_bench(text, "small bench")
    options = TrainingOptions(
        layer_sets=1, image_size=5, batch=2, online_steps=steps, online_learning_rate=1e-3
    )
    bench = open_bench(config, options.seed)
    recorder = Recorder(folder / "run.h5", text, "{}", options.seed)
    resident_mb: list[float] = []
    writing_s = 0.0

    def record(event: Event) -> None:
        nonlocal writing_s
        began_s = time.perf_counter()
        recorder(event)
        writing_s += time.perf_counter() - began_s
        if isinstance(event, TrainingStep):
            resident_mb.append(_resident_mb())

    with bench:
        matrix = 0.6 * config.slm.pixel_pitch_um / config.camera.pixel_pitch_um * np.eye(2)
        centre = (np.array(config.camera.shape) - 1) / 2
        offset = centre - matrix @ ((np.array(config.cavity.patch_shape) - 1) / 2)
        bench.dark = DarkLevel(0.0, 0.0, 0.0, Verdict("pass", ""))
        bench.use_registration(Registration(matrix, offset, 0.0, 0.0, Verdict("pass", "")))
        session = TrainingSession.create(CalibratedBench(config, bench), options)
        session.position.stage = "online"
        started_s = time.perf_counter()
        run(train(session, "online"), record=[record])
        seconds = time.perf_counter() - started_s
    warm = resident_mb[int(WARM * steps)]
    most = max(resident_mb[int(WARM * steps) :])
    return {
        "warm_mb": warm,
        "most_mb": most,
        "ratio": most / warm,
        "seconds": seconds,
        "writing": writing_s / seconds,
        "file_mb": (folder / "run.h5").stat().st_size / 1e6,
    }


def _resident_mb() -> float:
    """Return the resident memory of this process, which Linux counts in pages of 4 KiB."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096 / 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(grown(int(sys.argv[1]), Path(name))))
