"""The clock of an SLM's refresh, from when its patterns began to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAST_COHERENCE = 0.85
"""Of the beginnings with a period; for beginnings at random it is about 1 / sqrt(number of steps)."""
STEADY_MS = 0.3
"""Beginnings that scatter less than this (rms) after their commands wait for no refresh."""
LONGEST_SCAN = 0.9
"""Share of the period within which one row is taken to follow another downwards, not upwards."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A pattern commanded at command_ms shows after_ms later in rows around row_share, 0 ... 1."""

    command_ms: float
    row_share: float
    after_ms: float


@dataclass(frozen=True, slots=True)
class RefreshClock:
    """When the panel's first row begins after each command: design @ parameters - command_ms.

    "refresh": beginnings lie on a period; parameters are (period, first beginning). "steady": all
    begin equally long after their command. "irregular": each has a parameter of its own, and is that of
    its own rows.
    scan_ms: from the panel's first row to its last, 0 if irregular.
    """

    kind: Literal["refresh", "steady", "irregular"]
    design: Array
    command_ms: Array
    parameters: Array
    scan_ms: float

    def begins_ms(self, parameters: Array) -> Array:
        """Return when the step begins after each command, (K,)."""
        result: Array = self.design @ parameters - self.command_ms
        return result

    def period_ms(self, parameters: Array) -> float:
        """Return the period of the refresh; 0 if none was found."""
        return float(parameters[0]) if self.kind == "refresh" else 0.0

    def worst_wait_ms(self, parameters: Array) -> tuple[float, float]:
        """Return the longest wait of the panel's first row and its standard deviation.

        Waits for a refresh lie between w and w + period: the longest that was seen is a little less, the
        shortest plus a period a little more than the worst.
        """
        waits = self.begins_ms(parameters)
        low, high = float(waits.max()), float(waits.min()) + self.period_ms(parameters)
        if self.kind != "refresh":
            return max(low, 0.0), float(waits.std())
        return (low + high) / 2.0, abs(high - low) / np.sqrt(12.0)


def find_clock(begun: list[Begun]) -> RefreshClock:
    """Decide which of the three explains the beginnings; bands of rows each for itself, then together."""
    command, row, after = (
        np.array([getattr(b, name) for b in begun])
        for name in ("command_ms", "row_share", "after_ms")
    )
    bands = [row == r for r in np.unique(row)]
    within = np.concatenate([after[band] - np.median(after[band]) for band in bands])
    if np.sqrt(np.mean(np.clip(within, -10 * STEADY_MS, 10 * STEADY_MS) ** 2)) < STEADY_MS:
        medians = [float(np.median(after[band])) for band in bands]
        scan, first = _line([float(row[band][0]) for band in bands], medians)
        return RefreshClock(
            "steady", np.ones((len(after), 1)), 0.0 * command, np.array([first]), scan
        )
    seen = command + after
    span = max(float(np.ptp(after[band])) for band in bands)
    period, coherence = _period(seen, bands, span)
    if coherence < LEAST_COHERENCE:
        return RefreshClock("irregular", np.eye(len(after)), 0.0 * command, after, 0.0)
    phases = [period * float(np.angle(_turns(seen[b], period).sum())) / (2 * np.pi) for b in bands]
    later = [
        (p - phases[0] + (1.0 - LONGEST_SCAN) * period) % period - (1.0 - LONGEST_SCAN) * period
        for p in phases
    ]
    scan, first = _line([float(row[band][0]) for band in bands], later)
    first += phases[0]
    number = np.rint((seen - scan * row - first) / period)
    design = np.stack([number, np.ones_like(number)], axis=1)
    return RefreshClock("refresh", design, command, np.array([period, first]), scan)


def _line(rows: list[float], times: list[float]) -> tuple[float, float]:
    """Return slope and value at row 0; there is no slope from a single row."""
    if len(rows) < 2:
        return 0.0, times[0]
    slope, first = np.polyfit(rows, times, 1)
    return float(slope), float(first)


def _turns(seen_ms: Array, period_ms: float | Array) -> npt.NDArray[np.complex128]:
    result: npt.NDArray[np.complex128] = np.exp(2j * np.pi * seen_ms / period_ms)
    return result


def _period(seen: Array, bands: list[npt.NDArray[np.bool_]], span_ms: float) -> tuple[float, float]:
    """Find the longest period with which the beginnings are coherent, and how much they are, 0 ... 1.

    What is coherent with a period is so with its half: from waits that are spread over span_ms the period
    is between that and, with few steps, somewhat more.
    """
    step = 0.1 / max(float(np.ptp(seen)), span_ms)
    rates = np.arange(1.0 / (1.6 * span_ms), 1.0 / (0.8 * span_ms), step)
    coherence = np.zeros(len(rates))
    for band in bands:
        turns = np.exp(2j * np.pi * (seen[band] - seen[0])[None, :] * rates[:, None])
        coherence += np.abs(turns.sum(axis=1)) / len(seen)
    best = int(coherence.argmax())
    return 1.0 / float(rates[best]), float(coherence[best])
