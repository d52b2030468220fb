"""Layers on the SLM: displayed, settled, and as the panel realises them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.coarse_settling import CoarseSettling
from calibration.layout import PatchLayout
from calibration.settling import SettlingFound
from drivers.errors import DeviceTimeoutError
from drivers.phase_quantiser import PhaseQuantiser
from drivers.protocols import SLM
from labdiff.bench.clock import BenchClock
from labdiff.bench.pattern_prefetch import PatternPrefetcher
from labdiff.bench.snapshot import Values

MAX_REPEATS = 3
"""Number of times that a pattern is displayed again which the panel does not report."""
LEFT_UNSETTLED = 5e-4
"""Share of a step that may be left when the bench goes on: an eighth of a grey level of 2 pi."""


class SlmDisplay:
    """The SLM with its patches, its settling time and its phase response.

    reopened: returns how often devices were reopened so far. prefetcher: displays the panels of batches.
    phase_by_grey_rad: the phase response in use; None for a linear one.
    """

    def __init__(
        self, layout: PatchLayout, slm: SLM, clock: BenchClock, reopened: Callable[[], int]
    ) -> None:
        self._layout, self._slm, self._clock = layout, slm, clock
        self.prefetcher = PatternPrefetcher(slm, clock, lambda: self.settle_ms, reopened)
        self.phase_by_grey_rad: npt.NDArray[np.float64] | None = None
        self.measured_settle_ms: float | None = None
        self._quantiser = PhaseQuantiser(slm.bit_depth)

    @property
    def settle_ms(self) -> float:
        """How long a pattern takes to settle: as measured, else as the SLM declares."""
        if self.measured_settle_ms is None:
            return self._slm.timing.total_ms
        return self.measured_settle_ms

    def use_coarse_settling(self, found: CoarseSettling) -> None:
        """Wait longer than the SLM declares if it was found to be slower, and as declared if it was not."""
        if found.verdict.level != "fail":
            self.measured_settle_ms = found.wait_ms if found.slower else None

    def use_settling(self, found: SettlingFound) -> None:
        """Wait as long as was measured from now on; a failed measurement changes nothing."""
        if found.verdict.level != "fail":
            self.measured_settle_ms = found.wait_ms(LEFT_UNSETTLED)

    def settle(self) -> None:
        """Wait until a pattern that was just displayed has settled."""
        self._clock.sleep_s(self.settle_ms / 1e3)

    def show(self, phases_rad: npt.NDArray[np.floating]) -> None:
        """Display patches (P, h, w) and wait until they have settled.

        A pattern that the SLM does not report afterwards is displayed again, at most three times.
        Raises DeviceTimeoutError if it still does not.
        """
        panel = self._layout.panel(phases_rad)
        for _ in range(1 + MAX_REPEATS):
            pattern = self._slm.set_phase(panel)
            self.settle()
            reported = self._slm.reported_pattern
            if reported is None or reported == pattern:
                return
        raise DeviceTimeoutError(
            f"{self._slm.name}: written {1 + MAX_REPEATS} times, the panel still shows pattern {reported} "
            f"and not {pattern}; check that the SLM is not frozen, its video signal and its timing"
        )

    def flatten(self) -> None:
        """Display a flat pattern on the whole SLM."""
        self._slm.set_phase(np.zeros(self._slm.shape, np.float32))

    def use_phase_response(self, phase_by_grey_rad: npt.NDArray[np.floating]) -> None:
        """Let the SLM's driver choose grey levels by a measured phase response, (2**bit_depth,) radians."""
        self._slm.set_lut(phase_by_grey_rad)
        self._quantiser = PhaseQuantiser(self._slm.bit_depth, phase_by_grey_rad)
        self.phase_by_grey_rad = np.asarray(phase_by_grey_rad, np.float64)

    def realised(self, phases_rad: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Return the phases that the SLM displays for these, as far as its phase response is known.

        A grey level is a step of 0.025 rad; over five planes that is 3 % of the light.
        """
        return self._quantiser.realised(phases_rad)

    def levels(self, phases_rad: npt.NDArray[np.floating]) -> npt.NDArray[np.unsignedinteger]:
        """Return the grey levels by which the SLM displays these phases, of the same shape."""
        levels: npt.NDArray[np.unsignedinteger] = self._quantiser(phases_rad)
        return levels

    @property
    def realised_by_step(self) -> npt.NDArray[np.float32]:
        """Return what `realised` does as a table: the phase displayed for each of equal steps of a turn."""
        return self._quantiser.realised_by_step

    def state(self) -> Values:
        """Return settling time and phase response, where they were measured."""
        values: Values = {}
        if self.measured_settle_ms is not None:
            values["settle_ms"] = self.measured_settle_ms
        if self.phase_by_grey_rad is not None:
            values["phase_by_grey_rad"] = self.phase_by_grey_rad
        return values

    def restore(self, values: Mapping[str, Any]) -> None:
        """Use settling time and phase response of a state; other names in it are ignored."""
        settle_ms = values.get("settle_ms")
        self.measured_settle_ms = None if settle_ms is None else float(settle_ms)
        if "phase_by_grey_rad" in values:
            self.use_phase_response(np.asarray(values["phase_by_grey_rad"]))
