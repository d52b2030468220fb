"""What an optimiser of Adam's family remembers, as plain tensors by name."""

from __future__ import annotations

from torch import Tensor
from torch.optim import Optimizer


def moments(optimiser: Optimizer) -> dict[str, Tensor]:
    """Copies of both means and of the count of steps of each parameter: "0.exp_avg" and so on."""
    return {
        f"{index}.{name}": value.clone()
        for index, kept in optimiser.state_dict()["state"].items()
        for name, value in kept.items()
    }


def load_moments(optimiser: Optimizer, state: dict[str, Tensor]) -> None:
    """The inverse of `moments`; rates and schedules stay as they are."""
    whole = optimiser.state_dict()
    whole["state"] = {}
    for name, value in state.items():
        index, _, part = name.partition(".")
        whole["state"].setdefault(int(index), {})[part] = value.clone()
    optimiser.load_state_dict(whole)
