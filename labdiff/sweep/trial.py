"""Run one trial on a worker: events are sent in blocks up to a checkpoint, and no file is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.errors import UserError
from labdiff.events import Checkpoint, Event, JobStarted, Measured
from labdiff.generation.denoise import baselines, score
from labdiff.job import Job
from labdiff.jobs.calibrator import Calibrator
from labdiff.jobs.experiment import experiment
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import make_checkpoint, resume
from labdiff.session.training_session import TrainingSession
from labdiff.sweep.sweep_file import Trial
from labdiff.training.layer_set_task import REPORT_SECONDS
from labdiff.training.loop import train

TRAINED = "trained"
"""Stage of a trial on the twin after its training."""


@dataclass(frozen=True, slots=True)
class TrialTask:
    """A trial, and the checkpoint from which it resumes; None: it starts anew."""

    trial: Trial
    data_dir: Path | None = None
    start: Checkpoint | None = None


def run_trial(task: TrialTask) -> Iterator[tuple[Event, ...]]:
    """Run a trial; yield its events in blocks that end with a checkpoint. Raises UserError."""
    trial = task.trial
    name = f"trial {trial.number}"
    config = parse_bench(trial.bench_text, name)
    with ExitStack() as opened:
        bench = None
        if trial.where == "bench":
            bench = opened.enter_context(open_bench(config, trial.options.seed))
        session = TrainingSession.create(
            CalibratedBench(config, bench), trial.options, task.data_dir
        )
        session.checkpoint_seconds = REPORT_SECONDS
        if task.start is not None:
            resume(session, task.start, name)
        seconds = session.figures.get("seconds", 0.0)
        job = _on_twin(session, seconds)
        if bench is not None:
            job = experiment(session, Calibrator(session.calibrated), seconds)
        opened.enter_context(closing(job))
        block: list[Event] = []
        for event in job:
            block.append(event)
            if isinstance(event, Checkpoint):
                yield tuple(block)
                block.clear()
        if block:
            yield (*block, make_checkpoint(session))


def _on_twin(session: TrainingSession, before_s: float) -> Job[dict[str, float]]:
    """Train on the twin of the data sheet, then score there on held-out images."""
    figures, where, started_s = session.figures, session.position, time.monotonic() - before_s
    yield JobStarted(
        "trial on the twin", session.options.all_layer_sets, session.images.description
    )
    if where.stage == "offline":
        with closing(train(session, "offline")) as job:
            for event in job:
                figures["seconds"] = time.monotonic() - started_s
                yield event
        where.go_to(TRAINED)
        yield make_checkpoint(session)
    elif where.stage != TRAINED:
        raise UserError(
            f"its checkpoint is of stage {where.stage!r}, which a trial on the twin has not"
        )
    figures["mse_offline_twin"] = score(session, "twin")[0]
    figures |= baselines(session)
    figures["seconds"] = time.monotonic() - started_s
    yield Measured(dict(figures))
    yield make_checkpoint(session)
    return figures
