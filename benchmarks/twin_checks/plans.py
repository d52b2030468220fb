"""Every plan of the transforms, forced one by one: none wrong, the spread, what the machine's one costs."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from benchmarks.twin_checks.speed_candidates import (
    GAP_M,
    PITCH_M,
    WAVELENGTH_M,
    Problem,
    grid_size,
    inputs,
    own_step,
    propagate_through,
    transforms_step,
)
from labdiff.session.plans import measured_plan
from twin.propagation import transfer_function
from twin.transform_plan import PLANS, GridSize, TransformPlan, candidates, computing_clock

WRONG = 1e-4
"""Relative difference of two plans' gradients beyond which one of them is wrong: float32 rounds to 1e-7."""


def measure(setting: Setting) -> Outcome:
    """Time a step by each plan beside the plain transforms, on one thread."""
    batch, layers, size = setting.amount(
        "batch, layers, size", smoke=(2, 2, 32), quick=(8, 2, 300), full=(16, 4, 300)
    )
    rounds = setting.amount("rounds", smoke=1, quick=2, full=4)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measure(Problem(batch, layers, size), rounds)
    finally:
        torch.set_num_threads(threads)


def _measure(problem: Problem, rounds: int) -> Outcome:
    grid = grid_size(problem.size)
    sizes = GridSize((problem.size, problem.size), (grid, grid), 1)
    began_s = time.perf_counter()
    chosen = measured_plan(sizes).plan
    took_s = time.perf_counter() - began_s
    plans = candidates(sizes)
    gradients = {plan: _gradient(problem, plan) for plan in plans}
    first = gradients[plans[0]]
    wrong = sum(float((g - first).norm() / first.norm()) > WRONG for g in gradients.values())
    times_s: dict[TransformPlan, float] = {}
    bare_s = float("inf")
    # In turns: the machine is not the same all the time.
    for _ in range(rounds):
        bare_s = min(bare_s, _time_s(transforms_step(problem)))
        for plan in plans:
            with PLANS.forced(plan):
                times_s[plan] = min(times_s.get(plan, float("inf")), _time_s(own_step(problem)))
    ratios = {plan: found_s / bare_s for plan, found_s in times_s.items()}
    claims = [
        claim(f"plans of {len(plans)} that are wrong", wrong, "<= 0"),
        claim("measuring the plan, s", took_s, "<= 0.5"),
        claim("the machine's plan over the plain transforms", ratios[chosen], "<= 1.1"),
        claim(
            "the machine's plan over the fastest", ratios[chosen] / min(ratios.values()), "<= 1.1"
        ),
    ]
    table = {plan.name: round(ratio, 3) for plan, ratio in ratios.items()}
    figures = {"chosen": chosen.name, "over_the_transforms": table, "spread": _spread(ratios)}
    return Outcome(claims, figures)


def _spread(ratios: dict[TransformPlan, float]) -> float:
    return round(max(ratios.values()) / min(ratios.values()), 3)


def _time_s(step: Callable[[], None]) -> float:
    clock = computing_clock(1)
    step()
    began_s = clock()
    step()
    return clock() - began_s


def _gradient(problem: Problem, plan: TransformPlan) -> Tensor:
    """Return dL/d(phases) by a plan, (N, h, w)."""
    grid = grid_size(problem.size)
    gap = transfer_function((grid, grid), PITCH_M, WAVELENGTH_M, GAP_M)
    torch.manual_seed(0)
    shape = (problem.layers, problem.size, problem.size)
    phases = (6.0 * torch.rand(shape)).requires_grad_()
    amplitude = inputs(Problem(2, problem.layers, problem.size))
    with PLANS.forced(plan):
        intensity = propagate_through(
            amplitude, torch.complex(phases.cos(), phases.sin()), gap, gap
        )
        (gradient,) = torch.autograd.grad(intensity.square().sum(), phases)
    return gradient
