"""Early stopping on the bench: the best layers stay."""

from __future__ import annotations

import pytest
import torch

from labdiff.metrics.noise_error import FIRST_SCORED_T
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import Batch
from labdiff.training.early_stopping import LayerCandidates
from labdiff.training.forward_choice import forward_of
from labdiff.training.submitted_batch import SubmittedBatch
from tests.unit.labdiff.training.test_training_loop import CONFIG, OPTIONS, TwinBench, trained


def test_layers_that_got_worse_do_not_stay() -> None:
    _, session, _ = trained("physics_aware", online_steps=30, held_out_batches=1)
    good = {name: value.clone() for name, value in session.odu.state_dict().items()}
    with forward_of(session, "physics_aware") as forward:
        candidates = LayerCandidates(session, forward, "physics_aware", 0)
        candidates.store(0, 8)
        with torch.no_grad():
            session.odu.phases += torch.randn(session.odu.phases.shape)
            session.odu.decode_scale *= 2.0
        candidates.store(4, 8)
        candidates.store(8, 8)
        assert candidates.keep_best() == 0
    for name, value in session.odu.state_dict().items():
        assert torch.equal(value, good[name]), name


def test_the_comparison_takes_held_out_batches_of_each_candidate() -> None:
    _, _, bench = trained("physics_aware", online_steps=4, held_out_batches=2)
    assert len(bench.asked) == 1 + 4 + 3 * 2, "offsets, steps, two batches a candidate"


def test_a_training_that_helps_keeps_its_last_layers() -> None:
    _, ended, _ = trained("physics_aware", held_out_batches=2, online_steps=30)
    _, left, _ = trained("physics_aware", online_steps=30)
    assert torch.equal(ended.odu.phases, left.odu.phases)


def test_candidates_are_resumed_as_they_were() -> None:
    bench = TwinBench()
    options = OPTIONS.model_copy(update={"held_out_batches": 1})
    session = TrainingSession.create(CalibratedBench(CONFIG, bench), options)  # type: ignore[arg-type]
    with forward_of(session, "physics_aware") as forward:
        first = LayerCandidates(session, forward, "physics_aware", 0)
        for step in range(5):
            with torch.no_grad():
                session.odu.phases += 0.1
            first.store(step, 4)
        assert {name.partition(".")[0] for name in first.state()} == {"0", "2", "4"}
        second = LayerCandidates(session, forward, "physics_aware", 0)
        second.load_state(first.state())
        assert first.state().keys() == second.state().keys()
        assert first.keep_best() == second.keep_best()
        assert second.state() == {}


def test_images_that_are_not_scored_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    options = OPTIONS.model_copy(update={"held_out_batches": 2, "layer_sets": 5})
    session = TrainingSession.create(CalibratedBench(CONFIG, TwinBench()), options)  # type: ignore[arg-type]
    compared: list[torch.Tensor] = []
    with forward_of(session, "physics_aware") as forward:
        submit = forward.submit

        def watched(batch: Batch, layer_set: int) -> SubmittedBatch:
            compared.append(batch.t)
            return submit(batch, layer_set)

        monkeypatch.setattr(forward, "submit", watched)
        candidates = LayerCandidates(session, forward, "physics_aware", 0)
        candidates.store(0, 4)
        candidates.store(4, 4)
        candidates.keep_best()
    assert [len(t) for t in compared] == [options.batch] * 4
    t = torch.cat(compared)
    assert int(t.min()) >= FIRST_SCORED_T > session.policy.bounds(0)[0]
