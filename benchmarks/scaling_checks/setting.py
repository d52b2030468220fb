"""Options and sessions that all parts share."""

from __future__ import annotations

from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession


def independent(layer_sets: int, steps: int, batch: int = 8) -> TrainingOptions:
    """Return options of layer sets without warm starts, all with as many steps."""
    return TrainingOptions(
        layer_sets=layer_sets,
        offline_steps=steps,
        further_steps=1.0,
        batch=batch,
        warm_start=False,
        generated=0,
    )


def session_of(text: str, options: TrainingOptions) -> TrainingSession:
    """Return a session on the twin alone."""
    return TrainingSession.create(
        CalibratedBench(parse_bench(text, "bench of the benchmark")), options
    )
