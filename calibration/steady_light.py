"""Whether light and counts were what they were taken for: ambient light, power, automatic gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.result import Level, Verdict

Array = npt.NDArray[np.float64]

LARGEST_OFFSET = 0.05
"""Offset of frames against the twin, units of intensity, from which on it is a failure: the model itself
leaves up to 0.02."""
DARK_CHANGE, LARGEST_DARK_CHANGE = 1e-3, 5e-3
"""Changes of the dark level during a calibration, shares of full scale: a warning, and a failure."""
SCATTER, LARGEST_SCATTER = 0.01, 0.02
"""Scatter of the scale from frame to frame, rms share: a warning, and a failure. The model leaves 0.005."""
POWER, LARGEST_POWER = 0.04, 0.02
"""Change of the power that is to be expected in a minute, rms share: a warning. Scatter of the power of one
pattern that is repeated, rms share: a failure."""
CLIPPED, LARGEST_CLIPPED = 0.02, 0.1
"""Shares of the probes' light that falls on saturated pixels: a warning, and a failure."""
QUIET, MISFIT = 0.2, 0.15
"""Scatter of a repeated pattern's power as a share of the scale's, up to which the laser is not the cause;
and scatter of the scale as a share of the frames' rms misfit, sqrt(2 D), up to which the misfit is."""
LEAST_EXPONENT, EXPLAINED = 0.03, 0.5
"""Gain that follows the brightness: exponent, and its share of the scale's variance."""


@dataclass(frozen=True, slots=True)
class SteadyLight:
    """What a calibration shows of the light, beside what it fits; NaN where something is not known.

    offset: mean of held-out frames against the twin, units of intensity. scale_scatter: rms of the frames'
    scale, share. power_scatter: the same of one pattern that was repeated in between, over power_s seconds;
    power_minute: how far the power gets in a minute if it wanders on as from one repetition to the next.
    gain_exponent: power of a frame's brightness with which its scale goes; explained: share of the scale's
    variance that this accounts for. dark_change: of the counts without light since the dark level was
    measured, share of full scale. clipped: share of the probes' light that falls on saturated pixels.
    discrepancy: mean D of the frames whose scales are compared.
    """

    offset: float = np.nan
    scale_scatter: float = np.nan
    power_scatter: float = np.nan
    power_s: float = np.nan
    power_minute: float = np.nan
    gain_exponent: float = np.nan
    explained: float = np.nan
    dark_change: float = np.nan
    clipped: float = np.nan
    discrepancy: float = np.nan

    @property
    def misfit(self) -> bool:
        """Return whether scales differ since the model misses the frames, and not since the light does."""
        steady = self.power_scatter < QUIET * self.scale_scatter
        return steady and self.scale_scatter < MISFIT * np.sqrt(2.0 * self.discrepancy)

    def verdict(self) -> Verdict:
        """Return the verdict, with the cause in words."""
        found = [self._dark(), self._clipped(), self._offset(), self._scale(), self._power()]
        worst = [v for v in found if v.level == "fail"] + [v for v in found if v.level == "warn"]
        if worst:
            return worst[0]
        return Verdict(
            "pass",
            f"offset {self.offset:+.3f}, scale steady to {self.scale_scatter:.1%}, power to "
            f"{self.power_scatter:.1%}, dark level to {self.dark_change:+.2%}",
        )

    def _dark(self) -> Verdict:
        change = abs(self.dark_change)
        if not change > DARK_CHANGE:
            return Verdict("pass", "")
        return Verdict(
            "fail" if change > LARGEST_DARK_CHANGE else "warn",
            f"ambient light has changed: with the laser off the camera counts {self.dark_change:+.2%} of "
            "full scale against the dark level",
            "Switch lamps off or shield the camera, then run labdiff calibrate --all.",
        )

    def _clipped(self) -> Verdict:
        if not self.clipped > CLIPPED:
            return Verdict("pass", "")
        return Verdict(
            "fail" if self.clipped > LARGEST_CLIPPED else "warn",
            f"{self.clipped:.0%} of the probes' light falls on saturated pixels: it is brighter than the "
            "exposure was set for",
            "Lower the laser's power, or run labdiff calibrate --all.",
        )

    def _offset(self) -> Verdict:
        if not abs(self.offset) > LARGEST_OFFSET:
            return Verdict("pass", "")
        return Verdict(
            "fail",
            f"frames have an offset of {self.offset:+.3f} against the twin (allowed {LARGEST_OFFSET}): "
            "ambient light, or laser light that the patterns do not move",
            "Look for lamps, for reflections that pass the SLM by, and for the polarisation; then run "
            "labdiff calibrate --all.",
        )

    def _scale(self) -> Verdict:
        if not self.scale_scatter > SCATTER:
            return Verdict("pass", "")
        level: Level = "fail" if self.scale_scatter > LARGEST_SCATTER else "warn"
        if abs(self.gain_exponent) > LEAST_EXPONENT and self.explained > EXPLAINED:
            less = "less" if self.gain_exponent < 0.0 else "more"
            return Verdict(
                level,
                f"bright frames count {less} than they should, by the {abs(self.gain_exponent):.2f}th "
                "power of their brightness: the camera's gain follows the light",
                "Switch automatic gain, automatic exposure and gamma off in the camera.",
            )
        if self.misfit:
            return Verdict(
                "warn",
                f"the light's scale varies by {self.scale_scatter:.1%} rms from frame to frame and the "
                f"laser's power by {self.power_scatter:.1%}: no parameter of the twin describes what it "
                "misses",
                "Look for reflections and for an SLM whose pixels differ; or let online learning learn "
                "it: labdiff train --free-form-frames 64 --twin-steps 16.",
            )
        return Verdict(
            level,
            f"the light's scale varies by {self.scale_scatter:.1%} rms from frame to frame: the laser's "
            "power is not steady",
            "Let the laser warm up; look for mode hops and reflections back into it, and for an exposure "
            "that is not that of the frame.",
        )

    def _power(self) -> Verdict:
        if not (self.power_minute > POWER or self.power_scatter > LARGEST_POWER):
            return Verdict("pass", "")
        return Verdict(
            "fail" if self.power_scatter > LARGEST_POWER else "warn",
            f"the laser's power wanders: {self.power_scatter:.1%} rms within {self.power_s:.2g} s, by one "
            f"pattern that was repeated; {self.power_minute:.0%} in a minute if it goes on so",
            "Let the laser warm up; look for mode hops and reflections back into it.",
        )


def power_in_a_minute(power: Array, seconds: Array) -> float:
    """Return the rms change in a minute of a power (K,) that wanders as it did between times (K,), share.

    A random walk's square grows with time. Steps tell its pace much better than the scatter of all does.
    """
    steps = np.diff(power) / power.mean()
    minutes = np.maximum(np.diff(seconds), 1e-3) / 60.0
    return float(np.sqrt(np.mean(steps**2 / minutes)))


def gain_exponent(log_scale: Array, log_brightness: Array) -> tuple[float, float]:
    """Return the slope of scales (F,) against brightnesses (F,), and its share of the scales' variance.

    Both as logarithms, each without the mean of frames of its kind.
    """
    spread = float(log_brightness @ log_brightness)
    variance = float(log_scale @ log_scale)
    if spread <= 0.0 or variance <= 0.0:
        return 0.0, 0.0
    slope = float(log_scale @ log_brightness) / spread
    return slope, slope**2 * spread / variance
