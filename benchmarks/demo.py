"""The main job's figures, three seeds, the worst counts: python benchmarks/demo.py [--json] [--quick]."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calibrated import bench_file
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Part, Scale, Setting, parser, run_parts
from labdiff.config.training import TrainingOptions, quick_options
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.reports.progress_bar import ProgressBar

QUICK_STEPS = {
    "offline_steps": 30,
    "calibrated_steps": 30,
    "online_steps": 10,
    "sampler_steps": 10,
}
"""Training options in place of those of `labdiff demo --quick`: calibrating takes part of the minute."""


def options_of(scale: Scale, seed: int) -> TrainingOptions:
    """Return the options of the demo at a scale."""
    match scale:
        case Scale.FULL:
            return TrainingOptions(seed=seed)
        case Scale.QUICK:
            return quick_options(seed).model_copy(update=dict(QUICK_STEPS))
    return TrainingOptions(
        image_size=5,
        layer_sets=1,
        batch=2,
        offline_steps=2,
        calibrated_steps=2,
        online_steps=2,
        generated=2,
        sampler_steps=2,
        seed=seed,
    )


def figures_of(setting: Setting, bench_text: str, seed: int) -> dict[str, float]:
    """Return the figures of one run of the demo."""
    with tempfile.TemporaryDirectory() as folder, ProgressBar(setting.quiet) as progress:
        bench = Path(folder) / "bench.toml"
        bench.write_text(bench_text, encoding="utf-8")
        options = options_of(setting.scale, seed)
        prepared = ExperimentJob(Request(str(bench), Path(folder), options))
        recorders = [prepared.recorder] if prepared.recorder is not None else []
        return run(prepared.job(), record=recorders, watch=[progress])


def measure(setting: Setting) -> Outcome:
    """Run the demo for every seed."""
    if setting.scale is not Scale.FULL:
        setting.leave_out("most of the training steps: images are worse than the demo's")
    bench = bench_file(setting)
    runs = [figures_of(setting, bench, seed) for seed in setting.benches(3)]

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
    return Outcome(claims, {"runs": runs})


PARTS: dict[str, Part] = {"demo": measure}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    given = parser(__doc__, PARTS, seeds=True).parse_args(arguments)
    run_parts("demo", PARTS, given)


if __name__ == "__main__":
    main()
