"""The layers' optimiser steps as torch's own, to the bit, and starts without torch's compiler."""

from __future__ import annotations

import math
import subprocess
import sys

import torch
from torch import Tensor

from labdiff.training.adamw import AdamW, ParameterGroup

STEPS, RATE, END_RATE, DECAY, BETAS = 30, 0.03, 0.006, 0.02, (0.9, 0.8)


def parameters() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(6, 8, generator=generator).requires_grad_(),
        torch.randn(5, generator=generator).requires_grad_(),
    )


def ours(phases: Tensor, ends: Tensor) -> AdamW:
    groups = [ParameterGroup([phases], RATE, DECAY), ParameterGroup([ends], END_RATE, 0.0)]
    return AdamW(groups, BETAS)


def backward(phases: Tensor, ends: Tensor) -> None:
    torch.autograd.backward((phases.sin() ** 2).sum() + (ends**4).sum() * phases.mean())


def cosine(step: int) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * step / STEPS))


def test_it_steps_as_torchs_own_to_the_bit() -> None:
    mine, theirs = parameters(), parameters()
    adam, other = ours(*mine), torch.optim.AdamW([theirs[0]], lr=RATE, betas=BETAS)
    other.param_groups[0]["weight_decay"] = DECAY
    other.add_param_group({"params": [theirs[1]], "weight_decay": 0.0})
    for step in range(STEPS):
        for group, rate in zip(other.param_groups, (RATE, END_RATE), strict=True):
            group["lr"] = cosine(step) * rate
        adam.zero_grad()
        other.zero_grad()
        if step % 7 != 3:  # a batch that is not trusted has no gradient
            backward(*mine)
            backward(*theirs)
        adam.step(cosine(step))
        other.step()
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True)), step
    stored = other.state_dict()["state"]
    state = adam.state()
    assert state.keys() == {f"{i}.{name}" for i, values in stored.items() for name in values}
    for name, value in state.items():
        index, part = name.split(".")
        assert torch.equal(value, stored[int(index)][part]), name


def test_it_resumes_to_the_bit_from_its_state() -> None:
    whole, cut = parameters(), parameters()
    adam, first = ours(*whole), ours(*cut)
    for step in range(STEPS):
        backward(*whole)
        adam.step(cosine(step))
        adam.zero_grad()
        if step == STEPS // 2:
            state, first = first.state(), ours(*cut)
            first.load_state(state)
        backward(*cut)
        first.step(cosine(step))
        first.zero_grad()
    assert all(torch.equal(a, b) for a, b in zip(whole, cut, strict=True))


def test_a_training_starts_without_the_compiler_of_torch() -> None:
    code = (
        "import sys, torch; from labdiff.training.adamw import AdamW, ParameterGroup\n"
        "x = torch.ones(2, requires_grad=True); adam = AdamW([ParameterGroup([x], 1.0, 0.0)], (0.9, 0.9))\n"
        "adam.zero_grad(); x.sum().backward(); adam.step(); import labdiff.training.loop\n"
        "print('torch._dynamo' in sys.modules, float(x[0]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    missing, value = done.stdout.split()
    assert missing == "False" and abs(float(value)) < 1e-6
