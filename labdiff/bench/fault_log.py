"""What went wrong with the devices and was mended: counted by device and kind, and logged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

REOPENED = "opened again"


class FaultLog:
    """Counts such as ("camera", "no answer"): what a run shows beside its figures."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def note(self, device: str, kind: str, words: object) -> None:
        """One more; words: what is written into the log, as a warning the first time of its kind."""
        self.counts[device, kind] += 1
        first = self.counts[device, kind] == 1
        log.log(logging.WARNING if first else logging.INFO, "%s: %s: %s", device, kind, words)

    @property
    def total(self) -> int:
        """All that was noted but for what mended it."""
        return sum(number for (_, kind), number in self.counts.items() if kind != REOPENED)

    @property
    def reopened(self) -> int:
        """How often a device had gone and was opened again."""
        return sum(number for (_, kind), number in self.counts.items() if kind == REOPENED)

    def words(self) -> str:
        """Such as "camera: no answer 3, opened again 1"; empty if nothing went wrong."""
        devices: dict[str, list[str]] = {}
        for (device, kind), number in sorted(self.counts.items()):
            devices.setdefault(device, []).append(f"{kind} {number}")
        return "; ".join(f"{device}: {', '.join(found)}" for device, found in devices.items())

    def state(self) -> dict[str, int]:
        """The counts by names that begin with "troubles"."""
        return {f"troubles|{device}|{kind}": n for (device, kind), n in self.counts.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """As it was; other names are passed over."""
        self.counts.clear()
        for name, number in state.items():
            if name.startswith("troubles|"):
                _, device, kind = name.split("|")
                self.counts[device, kind] = int(number)
