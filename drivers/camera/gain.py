"""Cameras whose gain can be set: a capability that a driver may have beside what every camera has."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from drivers.errors import DeviceValueError


@runtime_checkable
class GainCamera(Protocol):
    """A camera that may have a gain to set; one around a camera without it has none."""

    @property
    def gain_range_db(self) -> tuple[float, float] | None:
        """(least, greatest) gain; None if there is none to set."""
        ...

    @property
    def gain_db(self) -> float | None:
        """The gain that the camera applies; None if there is none to set."""
        ...

    @gain_db.setter
    def gain_db(self, value: float) -> None: ...


def require_gain(name: str, value_db: float, limits_db: tuple[float, float] | None) -> None:
    """Refuse a gain that a camera does not have.

    Args:
        name: Of the camera.
        value_db: The gain that is asked for.
        limits_db: Of the camera; None if its gain cannot be set.

    Raises:
        DeviceValueError: If it is beyond the limits, or the camera has none.
    """
    if limits_db is None:
        raise DeviceValueError(f"{name}: has no gain that can be set")
    low, high = limits_db
    if not low <= value_db <= high:
        raise DeviceValueError(f"{name}: gain {value_db:g} dB; allowed is {low:g} ... {high:g} dB")
