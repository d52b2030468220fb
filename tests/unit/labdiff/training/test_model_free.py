"""Gradients by light alone agree with the derivative of the bench that gave the light."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from labdiff.config.training import TrainingOptions
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training import model_free
from labdiff.training.batches import Batch, draw_batch
from labdiff.training.forward_choice import forward_of
from labdiff.training.loop import train
from labdiff.training.loss import training_loss
from labdiff.training.methods import Method, step_counts
from labdiff.training.model_free import PolicyGradientForward, SpsaForward
from labdiff.training.offset_matching import MATCHED_BATCHES
from tests.unit.labdiff.training.test_training_loop import CONFIG, OPTIONS, TwinBench

PEERS: tuple[Method, ...] = ("spsa", "policy_gradient")


def session_on(bench: TwinBench, options: TrainingOptions = OPTIONS) -> TrainingSession:
    return TrainingSession.create(CalibratedBench(CONFIG, bench), options)  # type: ignore[arg-type]


def one_image(session: TrainingSession, times: int) -> Batch:
    """The first image of a batch, so many times: every direction is tried on the same error."""
    drawn = draw_batch(session, "spsa", 0, 0)
    return Batch.joined([drawn.part(slice(0, 1))] * times)


def true_gradient(session: TrainingSession, bench: TwinBench, batch: Batch) -> Tensor:
    """The loss's derivative by the layers, through the twin that is the bench."""
    phases = session.odu.phases.detach()[0].clone().requires_grad_()
    inputs, layers = session.odu.encode(batch.x_t, 0, phases, batch.prompts)
    shown = session.calibrated.displayed(inputs, layers)
    loss = session.odu.loss(bench._twin(*shown), batch.x_t, batch.abar, batch.clean, batch.noise, 0)
    (gradient,) = torch.autograd.grad(loss, phases)
    return gradient


@pytest.mark.parametrize("method", PEERS)
def test_the_mean_estimate_is_the_benchs_own_derivative(
    method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Along the true gradient: a sample's projection has mean 1 and a deviation of about 1.4."""
    monkeypatch.setattr(model_free, "PERTURBATION_RAD", 0.01)
    bench = TwinBench()
    session = session_on(bench)
    wanted = true_gradient(session, bench, one_image(session, 1))
    phases = session.odu.phases.detach()[0].clone().requires_grad_()
    with forward_of(session, method) as forward:
        submitted = forward.submit(one_image(session, 512), 0, phases, learning=True)
        loss = training_loss(session, submitted, forward(submitted), 0)
    (found,) = torch.autograd.grad(loss, phases)
    projected = float((found * wanted).sum() / wanted.square().sum())
    assert projected == pytest.approx(1.0, abs=0.3)
    if method == "spsa":
        assert len(bench.asked[-1][0]) == 2 * 512, "two frames an image"


def test_a_single_estimate_points_along_the_direction_that_was_tried() -> None:
    session = session_on(TwinBench())
    phases = session.odu.phases.detach()[0].clone().requires_grad_()
    with forward_of(session, "spsa") as forward:
        assert isinstance(forward, SpsaForward)
        submitted = forward.submit(one_image(session, 1), 0, phases, learning=True)
        loss = training_loss(session, submitted, forward(submitted), 0)
    (found,) = torch.autograd.grad(loss, phases)
    layers = submitted.all_displayed[1]
    tried = torch.sign(layers[0] - layers[1])
    share = float((found * tried).sum().abs() / (found.norm() * tried.norm()))
    assert share == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("method", PEERS)
def test_it_trains_in_the_same_loop_with_the_same_frames(method: Method) -> None:
    bench = TwinBench()
    changes = {"online_steps": 6, "held_out_batches": 1}
    session = session_on(bench, OPTIONS.model_copy(update=changes))
    session.position.stage = method
    run(train(session, method))
    steps = step_counts(session.options, method)[0]
    asked = [len(inputs) for inputs, _ in bench.asked]
    # Batches to match offsets, the steps, and each of three candidates on a held-out batch.
    of_steps = steps * [6 * OPTIONS.batch // steps]
    assert asked == [MATCHED_BATCHES * OPTIONS.batch, *of_steps, *(3 * [OPTIONS.batch])]
    assert torch.isfinite(session.odu.phases).all()


def test_a_resumed_run_goes_on_with_the_next_perturbations() -> None:
    session = session_on(TwinBench())
    with (
        forward_of(session, "policy_gradient") as whole,
        forward_of(session, "policy_gradient") as resumed,
    ):
        batch = one_image(session, 2)
        whole.submit(batch, 0, learning=True)
        resumed.load_state(whole.state())
        one, other = (each.submit(batch, 0, learning=True) for each in (whole, resumed))
        assert isinstance(whole, PolicyGradientForward)
        torch.testing.assert_close(one.all_displayed[1], other.all_displayed[1], rtol=0, atol=0)
        for submitted in (one, other):
            _ = submitted.measurement
