"""Layer sets learnt at the same time are to the bit those learnt one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import JobStoppedError, UserError
from labdiff.events import Checkpoint, Event, StageStarted, TrainingStep
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.runs.reader import RunFile
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import resume_run
from labdiff.session.training_session import TrainingSession
from labdiff.training import layer_set_task as layer_set
from labdiff.training.loop import train
from labdiff.training.parallel_layer_sets import train_on_twin
from tests.support.inline_workers import InlineWorkers
from tests.unit.labdiff.training.test_twin_only import SMALL

OPTIONS = TrainingOptions(
    layer_sets=3,
    offline_steps=4,
    calibrated_steps=4,
    further_steps=1.0,
    batch=2,
    warm_start=False,
)


@pytest.fixture(autouse=True)
def tell_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_set, "REPORT_SECONDS", -1.0)


def session(**changes: Any) -> TrainingSession:
    options = OPTIONS.model_copy(update=changes)
    made = TrainingSession.create(CalibratedBench(parse_bench(SMALL, "small bench")), options)
    made.checkpoint_seconds = -1.0
    return made


def one_after_the_other() -> TrainingSession:
    alone = session()
    run(train(alone, "offline"))
    return alone


def same(one: TrainingSession, other: TrainingSession) -> bool:
    pairs = zip(one.odu.state_dict().values(), other.odu.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("lose", [None, (0, 2), (2, 3)])
def test_the_same_to_the_bit_also_when_a_worker_is_lost(lose: tuple[int, int] | None) -> None:
    together, seen = session(), list[Event]()
    workers = InlineWorkers(2, lose)
    run(train_on_twin(together, "offline", SMALL, workers), watch=[seen.append])
    assert same(together, one_after_the_other())
    assert len(workers.begun) == (3 if lose is None else 4)
    steps = [event for event in seen if isinstance(event, TrainingStep)]
    assert [step.step for step in steps] == list(range(12)), "counted as they come, none twice"
    assert {step.layer_set for step in steps[:4]} == {0, 1}
    stage = next(event for event in seen if isinstance(event, StageStarted))
    assert stage.stage == "learning on the data sheet's twin, 2 workers inline"


def test_goes_on_from_a_checkpoint_of_workers_and_from_one_without() -> None:
    for first in ("workers", "alone"):
        cut, seen = session(), list[Event]()
        job = train(cut, "offline")
        if first == "workers":
            job = train_on_twin(cut, "offline", SMALL, InlineWorkers(2))

        def stop(seen: list[Event] = seen) -> bool:
            return sum(isinstance(event, Checkpoint) for event in seen) == 7

        with pytest.raises(JobStoppedError):
            run(job, watch=[seen.append], should_stop=stop)
        resumed, after = session(), list[Event]()
        resume_run(resumed, as_recorded(seen))
        run(
            train_on_twin(resumed, "offline", SMALL, InlineWorkers(2)),
            watch=[after.append],
        )
        assert same(resumed, one_after_the_other()), first
        steps = [event for event in after if isinstance(event, TrainingStep)]
        assert [step.step for step in steps] == list(range(7, 12)), "none is done twice"


def test_a_run_of_workers_is_not_gone_on_with_by_none() -> None:
    together, seen = session(), list[Event]()

    def stop() -> bool:
        return any(isinstance(event, Checkpoint) for event in seen)

    with pytest.raises(JobStoppedError):
        run(
            train_on_twin(together, "offline", SMALL, InlineWorkers(2)),
            watch=[seen.append],
            should_stop=stop,
        )
    with pytest.raises(UserError, match="--workers 2"):
        run(train_on_twin(together, "offline", SMALL))


def test_the_grey_levels_of_a_bench_are_those_of_its_workers(tmp_path: Path) -> None:
    """The calibrated stage: a bench at hand, tilts known, an SLM with levels that were measured."""
    bench = tmp_path / "bench.toml"
    bench.write_text(SMALL)
    made = []
    for together in (False, True):
        prepared = ExperimentJob(Request(str(bench), options=OPTIONS)).session
        with prepared.calibrated.bench as opened:
            response = torch.linspace(0.0, 6.5, 256).numpy()
            opened.display.use_phase_response(response)
            prepared.calibrated.twin.load_alignment(
                prepared.calibrated.twin.state_dict()
                | {"d_alpha_beam_mrad": torch.tensor([0.2, -0.1])}
            )
            prepared.calibrated.precompensate()
            workers = InlineWorkers(2) if together else None
            run(train_on_twin(prepared, "calibrated", SMALL, workers))
        made.append(prepared)
    assert same(*made)
    assert not same(made[0], one_after_the_other())


def test_warm_starts_are_one_after_the_other_and_that_is_said(tmp_path: Path) -> None:
    warm = OPTIONS.model_copy(update={"warm_start": True})
    with pytest.raises(UserError, match="--workers 2: with warm starts.* --no-warm-start"):
        ExperimentJob(Request(options=warm, out=tmp_path, workers=2, workers_on="local"))
    assert not any(tmp_path.iterdir())


def as_recorded(seen: list[Event]) -> RunFile:
    last = [event for event in seen if isinstance(event, Checkpoint)][-1]
    return RunFile(
        Path("run.h5"), "stopped", "", "", SMALL, "", 0, None, {}, {}, {}, {}, {}, {},
        last.arrays, last.scalars, last.results,
    )  # fmt: skip
