"""Memory over ten thousand steps of online learning, with a bench, its thread and a recorder."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.claims import Claim, claim
from calibration.dark import DarkLevel
from calibration.registration import Registration
from calibration.result import Verdict
from labdiff.bench.open import open_bench
from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import TrainingStep
from labdiff.job import run
from labdiff.runs.recorder import Recorder
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.loop import train

STEPS, QUICK_STEPS = 10_000, 1_500
WARM = 0.1
"""Share of the steps in which caches and the file's buffers may fill."""
BENCH = {
    "patch_shape = [100, 100]": "patch_shape = [20, 20]",
    "patch_lefts = [20, 140, 260, 380, 500]": "patch_lefts = [4, 44, 84]",
    "patch_top = 22": "patch_top = 4",
    "shape = [144, 640]": "shape = [28, 108]",
    "shape = [256, 320] ": "shape = [48, 48] ",
    "waist_mm = 0.60": "waist_mm = 0.12",
    "z_gap_mm = 5.7 ": "z_gap_mm = 0.5 ",
    'imperfections = "random"': 'imperfections = "none"',
    "samples_per_pixel = 2": "samples_per_pixel = 1",
    "threads = 0": "threads = 1",
}


def check(quick: bool) -> list[Claim]:
    """Resident memory at the end over that after the first tenth, in a process of its own."""
    steps = QUICK_STEPS if quick else STEPS
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.fault_checks.memory", str(steps)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(found.stdout.splitlines()[-1])
    print(told, file=sys.stderr)
    return [
        claim(f"resident memory over {steps} steps, end over warm", told["ratio"], "<= 1.05"),
        claim("share of the time that writing the run file took", told["writing"], "<= 0.1"),
    ]


def grown(steps: int, folder: Path) -> dict[str, float]:
    """Megabytes after the warm-up and at the most from then on; their ratio; share of time of writing."""
    text = bench_text("mock")[1]
    for old, new in BENCH.items():
        text = text.replace(old, new)
    config = parse_bench(text, "small bench")
    options = TrainingOptions(
        layer_sets=1, image_size=5, batch=2, online_steps=steps, online_learning_rate=1e-3
    )
    bench = open_bench(config, options.seed)
    recorder = Recorder(folder / "run.h5", text, "{}", options.seed)
    resident_mb: list[float] = []
    writing_s = 0.0

    def record(event: object) -> None:
        nonlocal writing_s
        began_s = time.perf_counter()
        recorder(event)  # type: ignore[arg-type]
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
    """Of this process. Linux tells it in pages of 4 KiB."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096 / 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(grown(int(sys.argv[1]), Path(name))))
