"""SLMs whose flatness map can be switched off: a capability beside what every SLM has."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class CorrectableSlm(Protocol):
    """An SLM that may add its maker's flatness map; one around an SLM without a map has none."""

    @property
    def correction(self) -> bool | None:
        """Whether the map is added to patterns; None if there is none. Set it to switch the map."""
        ...

    @correction.setter
    def correction(self, value: bool) -> None: ...
