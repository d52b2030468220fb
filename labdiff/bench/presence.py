"""Which devices of a bench are there for its light: a bench that is brought up lacks some of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from drivers.absent import NONE
from labdiff.bench.mock_bench import IMAGE_FOLDER, MOCK
from labdiff.config.bench import BenchConfig

DeviceKind = Literal["camera", "slm", "input", "laser"]
TITLES: dict[DeviceKind, str] = {
    "camera": "a camera",
    "slm": "an SLM",
    "input": "a DMD",
    "laser": "a laser",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """A device that is not there for the bench's light. why: absent, or simulated beside real ones."""

    kind: DeviceKind
    why: str

    def __str__(self) -> str:
        """Return the kind of device, with its article, and why it is not there."""
        return f"{TITLES[self.kind]} ({self.why})"


def listed(lacks: Iterable[Lack]) -> str:
    """Return lacking devices in one phrase."""
    return " and ".join(str(lack) for lack in lacks)


def lacking(config: BenchConfig) -> tuple[Lack, ...]:
    """Return what a bench lacks: devices that are "none", and simulated ones beside real ones.

    Simulated light reaches a real camera in one case alone: one whose driver plays images, with all else
    simulated. A laser that is "none" is switched by a person, and is there. Without a camera that sees it,
    nothing else of the light matters.
    """
    drivers = _drivers(config)
    plays = bool(config.camera.options.get(IMAGE_FOLDER))
    others = {driver for kind, driver in drivers.items() if kind != "camera"}
    if others == {MOCK} and (drivers["camera"] == MOCK or plays):
        return ()
    if drivers["camera"] == NONE:
        return (_absent("camera"),)
    if drivers["camera"] == MOCK:
        return (Lack("camera", "simulated here, and sees no real light"),)
    found: list[Lack] = []
    for kind, driver in drivers.items():
        if driver == NONE and kind != "laser":
            found.append(_absent(kind))
        elif driver == MOCK:
            found.append(Lack(kind, "simulated here, and lights no real camera"))
    return tuple(found)


def _absent(kind: DeviceKind) -> Lack:
    return Lack(kind, f'none here: {kind}.driver = "none"')


def _drivers(config: BenchConfig) -> dict[DeviceKind, str]:
    drivers: dict[DeviceKind, str] = {
        "camera": config.camera.driver,
        "slm": config.slm.driver,
        "laser": config.laser.driver,
    }
    if config.input.kind == "dmd":
        drivers["input"] = config.input.driver
    return drivers
