"""Automatic exposure for the pattern that stands."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from calibration.packing import counted
from calibration.result import CalibrationResult, Verdict
from calibration.saturation import LEAST_RATIO, SaturationWatch, key_to_set
from calibration.signs import Sign
from calibration.step import CalibrationStep
from drivers.protocols import Camera, Laser
from drivers.types import CountArray

MOST_FRAMES = 8
TOLERANCE = 0.1
"""The fill may lie above its target by this share; below it light is given away."""
SATURATED, DARK = 0.95, 0.01
"""Fills beyond which a frame only says "less" or "more"."""
STRIDE = 32.0
"""Factor of a step into the unknown."""
LONGEST_STEP = 16.0
VERIFIED = 2.0
"""Ratio of doses by which an exposure is verified where no other frame shows that counts rise."""
STUCK = (
    "The sensor is saturated, or the camera does not follow its exposure: lower the laser's power or put a "
    "filter into the beam, and switch automatic exposure and gain off."
)
"""What to do where counts stay the same at all exposures."""


@dataclass(frozen=True, slots=True)
class Exposure(CalibrationResult):
    """The exposure that was set, and how full the brightest pixels then are, 0 ... 1.

    power_mw: the laser's, if it was given. counts_per_ms_per_unit: counts in a millisecond where the twin
    says 1, if the pattern was one of which it says something. saturation_counts: where counts were seen to
    stop rising below the declared full scale; 0 if they were not.
    """

    routine: ClassVar[str] = "exposure"
    title: ClassVar[str] = "How long the camera has to be exposed"

    exposure_ms: float
    fill: float
    verdict: Verdict
    power_mw: float = 0.0
    counts_per_ms_per_unit: float = 1.0
    saturation_counts: float = 0.0


def set_exposure(
    camera: Camera, pedestal_counts: float, target: float = 0.5, laser: Laser | None = None
) -> Generator[CalibrationStep, None, Exposure]:
    """Bring the 99.9 % quantile of a frame to `target` ... 1.1 `target` of full scale, from any start.

    In between a frame tells how much too bright or dark it is; beyond, the next step is a factor of 32,
    or half way (geometrically) to what was too bright and too dark before. Counts that do not rise with the
    light are saturation, wherever they stand: full scale is there from then on. Where no other frame has
    shown that they rise, one more is taken before an exposure is accepted, or more light asked for.

    Args:
        camera: the camera.
        pedestal_counts: dark level.
        target: share of full scale.
        laser: its power is lowered where the shortest exposure is too long; it never rises above
            its start.
    """
    light = _Light(camera, laser)
    counts = counted(camera)
    watch = SaturationWatch(pedestal_counts, counts.declared_full_scale_counts, counts.found_level)
    fill, known = 0.0, watch.level_counts
    index, most = 0, MOST_FRAMES
    while index < most:
        pixels = _watched(camera, light.dose, watch)
        fill, dose = watch.newest_fill, light.dose
        message = f"exposure {light.description}: brightest pixel at {fill:.0%} of full scale"
        yield CalibrationStep("exposure", index, most, message, pixels.astype(np.float32))
        index += 1
        reached = target <= fill <= (1.0 + TOLERANCE) * target
        ends = reached or not light.set(_wanted(watch, dose, target))
        if ends and fill <= (1.0 + TOLERANCE) * target and not watch.proven:
            _verify(camera, light, watch)
        if watch.level_counts != known:
            known, most = watch.level_counts, index + MOST_FRAMES
            light.set(_wanted(watch, dose, target))
        elif reached:
            return _exposure(camera, light, fill, watch)
        elif ends:
            break
    return _failed_exposure(camera, light, fill, target, watch)


def _verify(camera: Camera, light: _Light, watch: SaturationWatch) -> None:
    """Take a frame of twice the dose, or half of it, and put the light back."""
    dose, exposure_ms, power_mw = light.dose, camera.exposure_ms, light.power_mw
    for wanted in (VERIFIED * dose, dose / VERIFIED):
        light.set(wanted)
        if not 1.0 / LEAST_RATIO < light.dose / dose < LEAST_RATIO:
            _watched(camera, light.dose, watch)
            break
    light.put_back(exposure_ms, power_mw)


def _watched(camera: Camera, dose: float, watch: SaturationWatch) -> CountArray:
    """Take a frame; where it seems not to have risen, another one, and return the last."""
    pixels = camera.get_frame().pixels
    if watch.add(dose, pixels):
        pixels = camera.get_frame().pixels
        watch.replace(pixels)
    return pixels


def _wanted(watch: SaturationWatch, dose: float, target: float) -> float:
    """Return the dose of the next frame, after one of this dose."""
    fill = watch.newest_fill
    too_dark, too_bright = watch.brightest_dose(DARK), watch.dimmest_dose(SATURATED)
    if fill > SATURATED:
        return float(np.sqrt(too_dark * too_bright)) if too_dark else min(dose, too_bright) / STRIDE
    if fill < target and watch.suspicious:
        return min(VERIFIED * dose, too_bright)
    if fill < DARK:
        return float(np.sqrt(too_dark * too_bright)) if np.isfinite(too_bright) else dose * STRIDE
    return dose * (1.0 + TOLERANCE / 2.0) * target / fill


def _exposure(camera: Camera, light: _Light, fill: float, watch: SaturationWatch) -> Exposure:
    level, declared = watch.level_counts, watch.declared_counts
    verdict = Verdict(
        "pass", f"exposure {light.description}: brightest pixel at {fill:.0%} of full scale"
    )
    if level:
        stops = f"counts stop rising at {level} of {declared}: the sensor is saturated there"
        verdict = Verdict("warn", f"{verdict.reason}; {stops}", key_to_set(level, declared))
    return Exposure(
        camera.exposure_ms, fill, verdict, light.power_mw, saturation_counts=float(level)
    )


def _failed_exposure(
    camera: Camera, light: _Light, fill: float, target: float, watch: SaturationWatch
) -> Exposure:
    remedy = "Lower the laser's power." if fill > target else "Is the laser on? Raise its power."
    sign: Sign = "too much light" if fill > target else "no light"
    level: Literal["warn", "fail"] = "warn" if 0.1 < fill < 0.9 else "fail"
    reason = f"exposure {light.description}: brightest pixel at {fill:.0%} of full scale"
    if watch.level_counts:
        reason = (
            f"counts stop rising at {watch.level_counts} of {watch.declared_counts}, and do not fall "
            f"below, exposure {light.description}"
        )
        level, remedy, sign = "fail", STUCK, "too much light"
    return Exposure(
        camera.exposure_ms,
        fill,
        Verdict(level, reason, remedy, (sign,)),
        light.power_mw,
        saturation_counts=float(watch.level_counts),
    )


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
        power = f" at {self._laser.power_mw:.3g} mW" if self._laser else ""
        return f"{self._camera.exposure_ms:.3g} ms{power}"

    def put_back(self, exposure_ms: float, power_mw: float) -> None:
        """Set exposure and power as they were."""
        self._camera.exposure_ms = exposure_ms
        if self._laser is not None and self._laser.power_mw != power_mw:
            self._laser.power_mw = power_mw

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
