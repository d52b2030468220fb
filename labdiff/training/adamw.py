"""Adam with decoupled weight decay, to the bit as `torch.optim.AdamW` computes it on a CPU.

The first optimiser of `torch.optim` that a process makes imports the compiler, torch._dynamo: as long as
torch itself takes, in every training that starts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that are moved at one rate. weight_decay: share of a parameter, times the rate, a step."""

    parameters: Sequence[Tensor]
    rate: float
    weight_decay: float


class AdamW:
    """Moves parameters down their gradients, each by its own scale.

    Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2.

    Args:
        groups: of parameters; parameters without a gradient stay where they are.
        betas: decay rates of the means of gradient and squared gradient.
    """

    def __init__(self, groups: Sequence[ParameterGroup], betas: tuple[float, float]) -> None:
        self._groups, self._betas = groups, betas
        self._all = [each for group in groups for each in group.parameters]
        self._state: dict[int, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._all:
            parameter.grad = None

    @torch.no_grad()
    def step(self, schedule: float = 1.0) -> None:
        """Make one step. schedule: factor on the rate of every group."""
        index = 0
        for group in self._groups:
            for parameter in group.parameters:
                if parameter.grad is not None:
                    self._move(index, parameter, parameter.grad, group, schedule * group.rate)
                index += 1

    def _move(
        self, index: int, parameter: Tensor, gradient: Tensor, group: ParameterGroup, rate: float
    ) -> None:
        state = self._state.setdefault(
            index,
            {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            },
        )
        first, second = self._betas
        state["step"] += 1
        steps = float(state["step"])
        parameter.mul_(1.0 - rate * group.weight_decay)
        state["exp_avg"].lerp_(gradient, 1.0 - first)
        state["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1.0 - second)
        spread = state["exp_avg_sq"].sqrt() / math.sqrt(1.0 - second**steps)
        parameter.addcdiv_(
            state["exp_avg"], spread.add_(EPSILON), value=-rate / (1.0 - first**steps)
        )

    def state(self) -> dict[str, Tensor]:
        """Return copies of the state of each parameter: "0.exp_avg" and so on."""
        return {
            f"{index}.{name}": value.clone()
            for index, values in self._state.items()
            for name, value in values.items()
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Resume from what `state` gave."""
        self._state = {}
        for name, value in state.items():
            index, _, part = name.partition(".")
            self._state.setdefault(int(index), {})[part] = value.clone()
