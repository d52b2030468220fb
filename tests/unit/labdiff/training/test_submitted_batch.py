"""A batch is drawn, displayed and measured once; its gradient is that of the parameters as they are now."""

from __future__ import annotations

import pytest
import torch

from drivers.errors import DeviceStateError
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training import batch_queue
from labdiff.training.batch_queue import BatchQueue
from labdiff.training.forward_choice import forward_of
from labdiff.training.optimiser import LayerOptimiser
from tests.unit.labdiff.training.test_training_loop import CONFIG, OPTIONS, TwinBench, trained


def test_every_batch_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    draw = batch_queue.draw_batch

    def counted(*arguments: object) -> object:
        drawn.append(arguments[3])  # type: ignore[arg-type]
        return draw(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_queue, "draw_batch", counted)
    trained("online", online_steps=6)
    assert drawn == list(range(6))


def test_what_is_ahead_keeps_what_was_displayed_and_gets_todays_gradient() -> None:
    session = TrainingSession.create(CalibratedBench(CONFIG, TwinBench()), OPTIONS)  # type: ignore[arg-type]
    optimiser = LayerOptimiser(session.odu, 0, OPTIONS, 0.1, 4)
    with forward_of(session, "online") as forward:
        batches = BatchQueue(session, forward, optimiser, "online")
        batches.submit(0)
        batches.submit(1)
        first = batches.collect()
        loss = forward(first).intensity.mean()
        optimiser.backward(loss)
        optimiser.step()
        before = batches.ahead
        assert before is not None
        displayed = before.displayed[1].clone()
        batches.encode_again()
        ahead = batches.collect()
        assert torch.equal(ahead.displayed[1], displayed), "it is on the bench already"
        assert torch.equal(ahead.encoded[1], optimiser.phases), "the layers have moved"
        layers = ahead.straight_through()[1]
        assert torch.allclose(layers, displayed, atol=1e-6)
        layers.sum().backward()  # type: ignore[no-untyped-call]
        assert len(batches) == 0


def test_on_a_twin_nothing_is_measured() -> None:
    session = TrainingSession.create(CalibratedBench(CONFIG), OPTIONS)
    optimiser = LayerOptimiser(session.odu, 0, OPTIONS, 0.1, 4)
    with forward_of(session, "offline") as forward:
        batches = BatchQueue(session, forward, optimiser, "offline")
        batches.submit(0)
        submitted = batches.collect()
        assert submitted.pace is None and submitted.bench_before is None
        with pytest.raises(DeviceStateError, match="not submitted"):
            _ = submitted.measured
        result = forward(submitted)
    assert torch.equal(result.measured, result.modelled)
