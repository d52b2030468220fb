"""The state with which a bench continues as if it had never been closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from calibration.dark import DarkLevel
from calibration.registration import Registration

Values: TypeAlias = dict[str, npt.NDArray[Any] | float | int | str]
DEVICES, WRAPPED = "devices.", "wrapped."
"""First parts of the names of values of simulated devices, and of what stands before them."""


@dataclass(frozen=True, slots=True)
class BenchSnapshot:
    """values: of devices and counters, by name. dark, registration: as in use; None before they are."""

    values: Values = field(default_factory=dict)
    dark: DarkLevel | None = None
    registration: Registration | None = None


class Restorable(Protocol):
    """Devices that can be set back to an earlier state, as simulated ones can."""

    def state(self) -> Values | None:
        """Return plain arrays and numbers by name; None if they cannot be set back after all."""
        ...

    def restore(self, state: Values) -> None:
        """Set the devices back to a state."""
        ...


def of_devices(values: Mapping[str, Any]) -> Values:
    """Return the devices' part of a bench's values."""
    return {k.removeprefix(DEVICES): v for k, v in values.items() if k.startswith(DEVICES)}


class NotRestorable:
    """Real devices: they have no state that could be set back."""

    def state(self) -> None:
        """Return None."""

    def restore(self, state: Values) -> None:
        """Do nothing; there is no state of such devices."""


class CombinedState:
    """A simulated laboratory, and the wrappers around its devices, which have a state too."""

    def __init__(self, laboratory: Restorable, wrappers: Mapping[str, Restorable]) -> None:
        self._laboratory, self._wrappers = laboratory, wrappers

    def state(self) -> Values | None:
        """Return the state of all, or None if the laboratory cannot be set back."""
        state = self._laboratory.state()
        if state is None:
            return None
        state = dict(state)
        for name, wrapper in self._wrappers.items():
            state |= {f"{WRAPPED}{name}.{key}": v for key, v in (wrapper.state() or {}).items()}
        return state

    def restore(self, state: Values) -> None:
        """Set the laboratory and the wrappers back to a state."""
        self._laboratory.restore({k: v for k, v in state.items() if not k.startswith(WRAPPED)})
        for name, wrapper in self._wrappers.items():
            start = f"{WRAPPED}{name}."
            wrapper.restore(
                {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
            )
