"""Count what crosses between the host and a device; `meta` stands for a GPU where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils import _python_dispatch

META = torch.device("meta")
_BASE: Any = _python_dispatch.TorchDispatchMode
"""Base of what sees every operation; its annotations are incomplete."""


@dataclass(slots=True)
class Transfers:
    """The operations between tensors of two devices, and those that ask a device for a value, by name."""

    found: list[str] = field(default_factory=list)

    def check(self, func: object, values: tuple[Any, ...]) -> None:
        """Check one operation.

        A scalar of the host that meets a tensor of a device travels with the call, and does not count.

        Args:
            func: the operation.
            values: its arguments and its result.
        """
        met = list(_tensors(values))
        places = {tensor.device.type for tensor in met if tensor.dim()}
        asks = "_local_scalar_dense" in str(func) and any(t.device.type != "cpu" for t in met)
        if len(places) > 1 or asks:
            self.found.append(str(func))


@contextmanager
def host_transfers() -> Iterator[Transfers]:
    """Collect the transfers of all operations while this is entered."""
    transfers = Transfers()

    def dispatch(
        mode: object, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        transfers.check(func, (args, tuple(named.values()), result))
        return result

    with type("HostTransfers", (_BASE,), {"__torch_dispatch__": dispatch})():
        yield transfers


def _tensors(values: tuple[Any, ...]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(tuple(value))
