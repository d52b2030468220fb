"""Small benches and options that all parts share."""

from __future__ import annotations

from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.sweep.bench_overrides import override_values


def small_bench_text(side_px: int = 40, layers: int = 4) -> str:
    """The shipped bench with patches of side x side: the same Fresnel number, the beam as large on them."""
    share = side_px / 100
    step = side_px + 20
    lefts = [10 + step * plane for plane in range(layers + 1)]
    return override_values(
        bench_text("mock")[1],
        {
            "cavity.patch_shape": [side_px, side_px],
            "cavity.patch_top": 20,
            "cavity.patch_lefts": lefts,
            "cavity.z_gap_mm": 5.7 * share**2,
            "source.waist_mm": 0.6 * share,
            "slm.shape": [side_px + 40, lefts[-1] + side_px + 10],
        },
    )


def independent(layer_sets: int, steps: int, batch: int = 8) -> TrainingOptions:
    """Layer sets without warm starts, all of them with as many steps."""
    return TrainingOptions(
        layer_sets=layer_sets,
        offline_steps=steps,
        further_steps=1.0,
        batch=batch,
        warm_start=False,
        generated=0,
    )


def session_of(text: str, options: TrainingOptions) -> TrainingSession:
    """On the twin alone."""
    return TrainingSession.create(
        CalibratedBench(parse_bench(text, "bench of the benchmark")), options
    )
