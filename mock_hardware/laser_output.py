"""The light that leaves a laser: power, emission, a shutter that takes its time, drift."""

from __future__ import annotations

from mock_hardware.drift import Drift
from mock_hardware.state import State

START_POWER_MW = 10.0
"""Power of a laser that has just been connected."""


class LaserOutput:
    """Dark until the emission is switched on and the shutter has opened; the power drifts."""

    def __init__(self, drift: Drift) -> None:
        self._drift = drift
        self.power_mw = START_POWER_MW
        self.emission = False
        self._opens_s = self._shuts_s = float("-inf")

    def power_mw_at(self, now_s: float) -> float:
        """Return the power that leaves the shutter at a moment."""
        open_now = now_s >= self._opens_s - 1e-9 if self.emission else now_s < self._shuts_s - 1e-9
        return self.power_mw * (1.0 + self._drift.at(now_s).power) if open_now else 0.0

    def switch(self, emission: bool, moves_s: float) -> None:
        """Switch the emission; the shutter has moved at `moves_s`."""
        if emission != self.emission:
            if emission:
                self._opens_s = moves_s
            else:
                self._shuts_s = moves_s
        self.emission = emission

    def interlock(self) -> None:
        """Shut at once, and until the emission is switched on again."""
        self.emission = False
        self._shuts_s = float("-inf")

    def reset(self) -> None:
        """Return to the settings of a laser that has just been connected, dark."""
        self.power_mw, self.emission = START_POWER_MW, False

    def state(self) -> State:
        """Return settings and shutter."""
        return {
            "power_mw": self.power_mw,
            "emission": int(self.emission),
            "opens_s": self._opens_s,
            "shuts_s": self._shuts_s,
        }

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.power_mw = float(state["power_mw"])
        self.emission = bool(state["emission"])
        self._opens_s, self._shuts_s = float(state["opens_s"]), float(state["shuts_s"])
