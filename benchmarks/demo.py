"""The main job's figures, three seeds, the worst counts: python benchmarks/demo.py --json [--quick]."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.claims import claim, finish, options
from labdiff.config.training import TrainingOptions, quick_options
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.reports.progress_bar import ProgressBar


def figures_of(seed: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Figures of one run of the demo."""
    options = quick_options(seed) if arguments.quick else TrainingOptions(seed=seed)
    with tempfile.TemporaryDirectory() as folder, ProgressBar(arguments.json) as progress:
        prepared = ExperimentJob(Request("mock", Path(folder), options))
        assert prepared.recorder is not None
        return run(prepared.job(), record=[prepared.recorder], watch=[progress])


def main() -> None:
    """Measure, then print one JSON line."""
    arguments = options(__doc__)
    seeds = (0,) if arguments.quick else (0, 1, 2)
    runs = [figures_of(seed, arguments) for seed in seeds]

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
    finish("demo", claims, arguments.json, runs=runs)


if __name__ == "__main__":
    main()
