"""A training step on a device other than the CPU: on `meta` a tensor that is made elsewhere raises."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from benchmarks.device_checks.host_transfers import META, host_transfers
from benchmarks.device_checks.steps import DESIGNS, small_session, training_step
from labdiff.generation.denoise import denoise
from labdiff.training.batch_queue import BatchQueue
from labdiff.training.forward_choice import forward_of
from labdiff.training.methods import Method
from labdiff.training.optimiser import LayerOptimiser


@pytest.mark.parametrize("method", ["offline", "calibrated"])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_step_on_the_twin_stays_on_its_device(design: str, method: Method) -> None:
    quantised = calibrated = method == "calibrated"
    session = small_session(design, calibrated, quantised)
    session.move_to(META)
    with forward_of(session, method) as forward:
        optimiser = LayerOptimiser(session.odu, 0, session.options, 0.1, 3)
        queue = BatchQueue(session, forward, optimiser, method)
        step = partial(training_step, session, forward, optimiser, queue)
        # The first step sends what is sent once: the SLM's table, the twin's elements.
        step(0)
        with host_transfers() as transfers:
            loss = step(1)
        assert loss.device == META
        assert session.odu.phases.device == META
        assert transfers.found == []


@pytest.mark.parametrize("design", DESIGNS)
def test_denoising_on_the_twin_stays_on_its_device(design: str) -> None:
    session = small_session(design, calibrated=True, quantised=True)
    t = torch.tensor([100, 200, 900])
    side = session.options.image_size
    prompts = torch.tensor([0, 1, -1]) if session.classes else None
    session.move_to(META)
    predicted, _ = denoise(session, torch.empty(3, side, side, device=META), t, "twin", prompts)
    assert predicted.device == META
    assert predicted.shape == (3, side, side)


def test_what_is_asked_of_the_device_is_counted() -> None:
    with host_transfers() as transfers:
        torch.ones(3).to(META)
        torch.ones(3, device=META) * 2.0
    assert [name for name in transfers.found if "copy" in name] == transfers.found
    assert len(transfers.found) == 1


def test_a_session_comes_back_from_a_device_as_it_was() -> None:
    session = small_session("plain", calibrated=True, quantised=True)
    inputs, layers = torch.rand(2, 40, 40), torch.rand(4, 40, 40)
    before = session.calibrated.twin(*session.calibrated.displayed(inputs, layers))
    weights = session.odu.phases.detach().clone()
    with session.on(torch.device("cpu")):
        assert session.device == torch.device("cpu")
    after = session.calibrated.twin(*session.calibrated.displayed(inputs, layers))
    assert torch.equal(before, after)
    assert torch.equal(weights, session.odu.phases)
