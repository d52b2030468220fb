"""A lamp in the room: light on the camera that comes neither from the laser nor past the patterns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mock_hardware.settings import MockCameraSettings

REFERENCE_S = 2e-3
"""Exposure to which the lamp's brightness refers."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """Light that falls alike on all pixels, whatever the laser does.

    brightness: share of full scale in an exposure of 2 ms. from_s: time at which it is switched on.
    warm_up_s: time constant in which it gets bright; 0: at once.
    """

    brightness: float = 0.0
    from_s: float = 0.0
    warm_up_s: float = 0.0

    @classmethod
    def of(cls, settings: MockCameraSettings) -> Lamp:
        """Return the lamp of a bench file."""
        return cls(settings.lamp, settings.lamp_from_s, settings.lamp_warm_up_s)

    def share(self, now_s: float, exposure_s: float) -> float:
        """Return the share of full scale that the lamp fills in an exposure around a time."""
        since_s = now_s - self.from_s
        if self.brightness == 0.0 or since_s < 0.0:
            return 0.0
        warm = -math.expm1(-since_s / self.warm_up_s) if self.warm_up_s > 0.0 else 1.0
        return self.brightness * warm * exposure_s / REFERENCE_S
