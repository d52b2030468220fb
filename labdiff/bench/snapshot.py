"""All that a bench has to know to go on as if it had never been closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from calibration.dark import DarkLevel
from calibration.registration import Registration

Values: TypeAlias = dict[str, npt.NDArray[Any] | float | int | str]
DEVICES, WRAPPED = "devices.", "wrapped."


@dataclass(frozen=True, slots=True)
class BenchSnapshot:
    """values: of devices and counters, by name. dark, registration: as in use; None before they are."""

    values: Values = field(default_factory=dict)
    dark: DarkLevel | None = None
    registration: Registration | None = None


class Restorable(Protocol):
    """Devices that can be put back to where they were, as simulated ones can."""

    def state(self) -> Values | None:
        """By name, plain arrays and numbers; None if they cannot be put back after all."""
        ...

    def restore(self, state: Values) -> None:
        """As they were."""
        ...


def of_devices(values: Mapping[str, Any]) -> Values:
    """The devices' part of a bench's values."""
    return {k.removeprefix(DEVICES): v for k, v in values.items() if k.startswith(DEVICES)}


class CombinedState:
    """A laboratory, and what stands before its devices and remembers something too."""

    def __init__(self, laboratory: Restorable, wrappers: Mapping[str, Restorable]) -> None:
        self.laboratory, self._wrappers = laboratory, wrappers

    def state(self) -> Values | None:
        """Of all, or None if the laboratory cannot be put back."""
        state = self.laboratory.state()
        if state is None:
            return None
        state = dict(state)
        for name, wrapper in self._wrappers.items():
            state |= {f"{WRAPPED}{name}.{key}": v for key, v in (wrapper.state() or {}).items()}
        return state

    def restore(self, state: Values) -> None:
        """As they were."""
        self.laboratory.restore({k: v for k, v in state.items() if not k.startswith(WRAPPED)})
        for name, wrapper in self._wrappers.items():
            start = f"{WRAPPED}{name}."
            wrapper.restore(
                {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
            )
