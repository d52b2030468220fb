"""Monitors by identity: which one a bench file means, and which ones may carry an SLM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from drivers.errors import DeviceNotFoundError, DeviceValueError


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor as the window system describes it.

    name: of the connector ("HDMI-1") or, on Windows, of the display. manufacturer, model, serial: what the
    monitor reports (EDID); empty where it reports nothing.
    shape: (height, width) in physical pixels. scale: what the desktop asks programs to magnify by.
    """

    name: str
    manufacturer: str
    model: str
    serial: str
    shape: tuple[int, int]
    scale: float
    refresh_hz: float
    primary: bool

    @property
    def title(self) -> str:
        """Its name and address, for lists and messages."""
        maker = " ".join(part for part in (self.manufacturer, self.model) if part)
        serial = f", serial {self.serial}" if self.serial else ""
        return f"{self.name}{f' ({maker}{serial})' if maker or serial else ''}"

    @property
    def address(self) -> str:
        """Address for the bench file's slm.address that means this monitor, by whatever connector."""
        keys = ("manufacturer", "model", "serial") if self.serial else ("name", "model")
        return "; ".join(f"{key}={self.identity[key]}" for key in keys if self.identity[key])

    def why_not(self, shape: tuple[int, int] | None = None) -> str | None:
        """Return why it cannot carry an SLM of that (height, width); None if it can."""
        if self.primary:
            return (
                "it is the primary monitor, which carries the desktop; make another one the primary "
                "in the system's display settings"
            )
        if shape is not None and shape != self.shape:
            return (
                f"it has {self.shape[1]} x {self.shape[0]} pixels and the SLM {shape[1]} x "
                f"{shape[0]}; set its native resolution in the system's display settings"
            )
        return None

    @property
    def identity(self) -> dict[str, str]:
        """The parts of an address, and what they are of this monitor."""
        return {
            "name": self.name,
            "manufacturer": self.manufacturer,
            "model": self.model,
            "serial": self.serial,
        }

    def as_dict(self) -> dict[str, object]:
        """Return its fields for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Monitor:
        """Return the monitor of fields from JSON."""
        return cls(**{**values, "shape": (int(values["shape"][0]), int(values["shape"][1]))})


def choose(monitors: Sequence[Monitor], address: str) -> Monitor:
    """Return the one monitor that an address means.

    address: "serial=6010", "model=PLUTO-2; name=HDMI-1": all must be so; or one word that is its name,
    model or serial. Raises DeviceNotFoundError if there is none, DeviceValueError if it names several, or
    has another form.
    """
    found = [monitor for monitor in monitors if means(address, monitor)]
    there = "; ".join(m.title + (", the primary" if m.primary else "") for m in monitors) or "none"
    if not found:
        raise DeviceNotFoundError(
            f"SLM monitor {address!r}: not there. Monitors now: {there}. Is the SLM switched on, and "
            "is the desktop extended to it?"
        )
    if len(found) > 1:
        titles = "; ".join(monitor.title for monitor in found)
        raise DeviceValueError(
            f"SLM monitor {address!r}: names several ({titles}); add name= or serial= to slm.address"
        )
    return found[0]


def means(address: str, monitor: Monitor) -> bool:
    """Return whether an address fits a monitor. Raises DeviceValueError for one of another form."""
    if "=" not in address:
        return address.strip() in (monitor.name, monitor.model, monitor.serial)
    for part in address.split(";"):
        key, _, value = (text.strip() for text in part.partition("="))
        if key not in monitor.identity or not value:
            raise DeviceValueError(
                f"slm.address = {address!r}: {part.strip()!r} is not understood; expected a "
                f"monitor's name, or {', '.join(f'{k}=...' for k in monitor.identity)} joined by ';'"
            )
        if monitor.identity[key] != value:
            return False
    return True
