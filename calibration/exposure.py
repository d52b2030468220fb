"""Automatic exposure for the pattern that stands."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from calibration.result import CalibrationResult, Verdict
from calibration.step import CalibrationStep
from drivers.protocols import Camera, Laser

QUANTILE = 0.999
MOST_FRAMES = 8
TOLERANCE = 0.1
"""The fill may lie above its target by this share; below it light is given away."""
SATURATED, DARK = 0.95, 0.01
"""Fills beyond which a frame only says "less" or "more"."""
STRIDE = 32.0
"""Factor of a step into the unknown."""
LONGEST_STEP = 16.0


@dataclass(frozen=True, slots=True)
class Exposure(CalibrationResult):
    """The exposure that was set, and how full the brightest pixels then are, 0 ... 1.

    power_mw: the laser's, if it was given. counts_per_ms_per_unit: counts in a millisecond where the twin
    says 1, if the pattern was one of which it says something.
    """

    routine: ClassVar[str] = "exposure"
    title: ClassVar[str] = "How long the camera has to be exposed"

    exposure_ms: float
    fill: float
    verdict: Verdict
    power_mw: float = 0.0
    counts_per_ms_per_unit: float = 1.0


def set_exposure(
    camera: Camera, pedestal_counts: float, target: float = 0.5, laser: Laser | None = None
) -> Generator[CalibrationStep, None, Exposure]:
    """Bring the 99.9 % quantile of a frame to `target` ... 1.1 `target` of full scale, from any start.

    In between a frame tells how much too bright or dark it is; beyond, the next step is a factor of 32,
    or half way (geometrically) to what was too bright and too dark before.

    Args:
        camera: the camera.
        pedestal_counts: dark level.
        target: share of full scale.
        laser: its power is lowered where the shortest exposure is too long; it never rises above
            its start.
    """
    light = _Light(camera, laser)
    full = 2**camera.bit_depth - 1 - pedestal_counts
    too_dark, too_bright = 0.0, np.inf
    fill = 0.0
    for index in range(MOST_FRAMES):
        frame = camera.get_frame()
        fill = (float(np.quantile(frame.pixels, QUANTILE)) - pedestal_counts) / full
        dose = light.dose
        message = f"{light.description} fills {fill:.0%}"
        picture = frame.pixels.astype(np.float32)
        yield CalibrationStep("exposure", index, MOST_FRAMES, message, picture)
        if target <= fill <= (1.0 + TOLERANCE) * target:
            return Exposure(camera.exposure_ms, fill, Verdict("pass", message), light.power_mw)
        if fill > SATURATED:
            too_bright = dose
            wanted = np.sqrt(too_dark * too_bright) if too_dark else dose / STRIDE
        elif fill < DARK:
            too_dark = dose
            wanted = np.sqrt(too_dark * too_bright) if np.isfinite(too_bright) else dose * STRIDE
        else:
            wanted = dose * (1.0 + TOLERANCE / 2.0) * target / fill
        if not light.set(float(wanted)):
            break
    remedy = "Lower the laser's power." if fill > target else "Is the laser on? Raise its power."
    level: Literal["warn", "fail"] = "warn" if 0.1 < fill < 0.9 else "fail"
    reason = f"the image fills {fill:.0%} of full scale at {light.description}"
    return Exposure(camera.exposure_ms, fill, Verdict(level, reason, remedy), light.power_mw)


def step_towards(camera: Camera, fill: float, target: float) -> bool:
    """Change the exposure of a frame whose brightest pixels are so full; False where the range ends.

    For routines that judge by another measure of fullness than the quantile of `set_exposure`.

    Args:
        camera: the camera.
        fill: brightness of the frame, share of full scale.
        target: share of full scale.
    """
    before = camera.exposure_ms
    factor = 1.0 / 8.0 if fill > SATURATED else target / max(fill, target / LONGEST_STEP)
    camera.exposure_ms = float(np.clip(before * factor, *camera.exposure_range_ms))
    return camera.exposure_ms != before


class _Light:
    """Exposure times power, as one quantity that can be set."""

    def __init__(self, camera: Camera, laser: Laser | None) -> None:
        # A laser that is set to nothing has no power to take away.
        self._camera, self._laser = camera, laser if laser and laser.power_mw > 0.0 else None
        # More power than the user asked for could harm what it falls on.
        self._most_mw = self._laser.power_mw if self._laser else 1.0

    @property
    def dose(self) -> float:
        """Exposure times power, ms mW; of the exposure alone without a laser to set."""
        return self._camera.exposure_ms * (self._laser.power_mw if self._laser else 1.0)

    @property
    def power_mw(self) -> float:
        """Of the laser, 0 without one."""
        return self._laser.power_mw if self._laser else 0.0

    @property
    def description(self) -> str:
        """Exposure and power, for messages."""
        power = f" and {self._laser.power_mw:.3g} mW" if self._laser else ""
        return f"{self._camera.exposure_ms:.3g} ms{power}"

    def set(self, dose: float) -> bool:
        """Set a dose as near to this as devices allow, power last; return False if nothing changes."""
        before = self.dose
        low, high = self._camera.exposure_range_ms
        power_mw = self._laser.power_mw if self._laser else 1.0
        self._camera.exposure_ms = float(np.clip(dose / power_mw, low, high))
        if self._laser is not None:
            least_mw = self._laser.power_range_mw[0]
            wanted_mw = float(np.clip(dose / self._camera.exposure_ms, least_mw, self._most_mw))
            if wanted_mw != power_mw:
                self._laser.power_mw = wanted_mw
        return bool(abs(self.dose - before) > 1e-6 * before)
