"""The main job's figures, three seeds, the worst counts: python benchmarks/demo.py --json [--quick]."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from labdiff.config import TrainingOptions
from labdiff.jobs import QUICK, ExperimentJob, Request
from labdiff.progress import ProgressBar
from labdiff.runner import run


def figures_of(seed: int, quick: bool) -> dict[str, float]:
    """Figures of one run of the demo."""
    options = TrainingOptions(seed=seed, **(QUICK if quick else {}))
    with tempfile.TemporaryDirectory() as folder, ProgressBar() as progress:
        prepared = ExperimentJob(Request("mock", Path(folder), options))
        assert prepared.recorder is not None
        return run(prepared.job(), record=[prepared.recorder], watch=[progress])


def claim(words: str, value: float, bound: str) -> dict[str, Any]:
    """One claim: the measured value, its bound, and whether it holds."""
    sign, limit = bound.split()
    holds = value <= float(limit) if sign == "<=" else value >= float(limit)
    return {"claim": words, "value": value, "bound": bound, "holds": holds}


def main() -> None:
    """Measure, then print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON is always the last line")
    parser.add_argument("--quick", action="store_true", help="one seed, few steps")
    arguments = parser.parse_args()
    seeds = (0,) if arguments.quick else (0, 1, 2)
    runs = [figures_of(seed, arguments.quick) for seed in seeds]

    def worst(upper: str, lower: str) -> float:
        return max(f[upper] / f[lower] for f in runs)

    claims = [
        claim("online bench MSE over Wiener", worst("mse_online_bench", "mse_wiener"), "<= 1.5"),
        claim(
            "online bench MSE over identity", worst("mse_online_bench", "mse_identity"), "<= 0.5"
        ),
        claim(
            "online bench MSE over offline bench MSE",
            worst("mse_online_bench", "mse_offline_bench"),
            "<= 0.4",
        ),
        claim("discrepancy after", max(f["discrepancy_after"] for f in runs), "<= 0.05"),
        claim(
            "generated images called a digit with confidence above 0.9",
            min(f["recognised_generated"] for f in runs),
            ">= 0.6",
        ),
        claim("seconds of one demo", max(f["seconds"] for f in runs), "<= 300"),
    ]
    machine = {"cores": os.cpu_count(), "platform": platform.platform()}
    print(json.dumps({"benchmark": "demo", "claims": claims, "machine": machine, "runs": runs}))


if __name__ == "__main__":
    main()
