"""Faults of the devices that were recovered from: counted by device and kind, and logged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

REOPENED = "opened again"
"""Kind of entry for a device that was lost and opened again."""
KEY = "troubles"
"""First part of the names in a stored state."""


class FaultLog:
    """Counts such as ("camera", "no answer"), which a run reports beside its results."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def record(self, device: str, kind: str, detail: object) -> None:
        """Count a fault and log it, as a warning the first time of its kind.

        Args:
            device: "slm", "camera" ... as in the bench file.
            kind: Kind of fault, such as "no answer".
            detail: What is logged with it, such as the error.
        """
        self.counts[device, kind] += 1
        first = self.counts[device, kind] == 1
        log.log(logging.WARNING if first else logging.INFO, "%s: %s: %s", device, kind, detail)

    @property
    def total(self) -> int:
        """Number of faults; that a device was opened again is none."""
        return sum(number for (_, kind), number in self.counts.items() if kind != REOPENED)

    @property
    def reopened(self) -> int:
        """How often a device was lost and opened again."""
        return sum(number for (_, kind), number in self.counts.items() if kind == REOPENED)

    def summary(self) -> str:
        """Return a line such as "camera: no answer 3, opened again 1"; empty without faults."""
        devices: dict[str, list[str]] = {}
        for (device, kind), number in sorted(self.counts.items()):
            devices.setdefault(device, []).append(f"{kind} {number}")
        return "; ".join(f"{device}: {', '.join(found)}" for device, found in devices.items())

    def state(self) -> dict[str, int]:
        """Return the counts under names that begin with "troubles"."""
        return {f"{KEY}|{device}|{kind}": n for (device, kind), n in self.counts.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set the counts from a state; other names in it are ignored."""
        self.counts.clear()
        for name, number in state.items():
            if name.startswith(f"{KEY}|"):
                _, device, kind = name.split("|")
                self.counts[device, kind] = int(number)
