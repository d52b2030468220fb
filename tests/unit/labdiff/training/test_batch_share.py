"""Shares of a batch: together they are the batch, and their gradients its gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from labdiff.config.bench import parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_share import BatchShare
from labdiff.training.batches import draw_batch
from labdiff.training.forward_choice import forward_of
from labdiff.training.loss import training_loss
from labdiff.training.optimiser import LayerOptimiser
from tests.unit.labdiff.training.test_twin_only import SMALL

OPTIONS = TrainingOptions(layer_sets=2, offline_steps=4, batch=5, detection="differential")


def session() -> TrainingSession:
    return TrainingSession.create(CalibratedBench(parse_bench(SMALL, "small bench")), OPTIONS)


def gradients(share: BatchShare | None = None) -> list[Tensor]:
    """Of the first step of layer set 1, as the loop computes them."""
    made = session()
    learner = LayerOptimiser(made.odu, 1, OPTIONS, 0.1, 4)
    batch = draw_batch(made, "offline", 1, 0, share)
    forward = forward_of(made, "offline")
    submitted = forward.submit(batch, 1, learner.phases)
    loss = training_loss(made, submitted, forward(submitted), 1)
    learner.backward(loss, share)
    return [torch.zeros_like(p) if p.grad is None else p.grad for p in learner.parameters]


@pytest.mark.parametrize("count", [2, 3])
def test_gradients_of_shares_add_up_to_those_of_one_process(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[Tensor] = []

    def all_reduce(flat: Tensor, **_: Any) -> None:
        parts.append(flat.clone())

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    for rank in range(count):
        gradients(BatchShare(rank, count))
    whole = torch.cat([gradient.reshape(-1) for gradient in gradients()])
    assert float((sum(parts) - whole).abs().max()) < 1e-6 * float(whole.abs().max())
    assert float(whole.abs().max()) > 0.0


def test_shares_are_the_batch_and_differ_by_an_image_at_most() -> None:
    whole = draw_batch(session(), "offline", 0, 3)
    shares = [draw_batch(session(), "offline", 0, 3, BatchShare(rank, 2)) for rank in range(2)]
    assert [len(share.t) for share in shares] == [3, 2]
    assert sorted(torch.cat([share.t for share in shares]).tolist()) == sorted(whole.t.tolist())
    assert BatchShare(0, 2).weight(5) + BatchShare(1, 2).weight(5) == 1.0
    with pytest.raises(UserError, match="batch = 1: allowed is 2 or more"):
        BatchShare(1, 2).weight(1)


def test_one_process_in_a_group_of_its_own_has_its_gradients() -> None:
    store = dist.HashStore()
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        together = gradients(BatchShare(0, 1))
    finally:
        dist.destroy_process_group()
    for one, other in zip(together, gradients(), strict=True):
        assert torch.equal(one, other)
