"""A reconnecting laser: its emission comes back last, only if it was on, never against an interlock."""

from __future__ import annotations

from drivers.errors import DeviceError, NoLightError
from drivers.laser.line import LaserWithLine
from drivers.laser.wrapper import EMISSION, LaserWrapper
from drivers.protocols import Laser
from drivers.wrapper import DeviceSetting, V
from labdiff.bench.reconnect import ReconnectingDevice
from labdiff.errors import JobStoppedError

REPORTED_WITHIN_S = 0.2
"""Time in which the report arrives that a laser was switched off on purpose."""


class ReconnectingLaser(ReconnectingDevice[Laser], LaserWrapper):
    """A laser that is switched on again after it was lost, where the bench file allows it."""

    _stopped = ""
    """Why the laser was switched off past the job that works with its light; "" if it was not."""

    def send_off(self) -> None:
        """Send the order to switch off, and end the job that works with the light at its next frame.

        Until `permit` nobody switches the laser on again, as a routine that puts back what it found.
        """
        self._stopped = "the laser was switched off"
        try:
            super().send_off()
        except DeviceError:  # the connection is lost: by another one
            line = self._device.line if isinstance(self._device, LaserWithLine) else None
            if line is None:
                raise
            line.send_off()

    def switched_off(self, reason: str) -> None:
        """Note that the laser was switched off from elsewhere; the job ends as after `send_off`."""
        self._stopped = f"the laser was switched off by its guardian: {reason}"

    def permit(self) -> None:
        """Let the laser be switched on again after it was switched off past a job."""
        self._stopped = ""

    def _check_permitted(self) -> None:
        if self._stopped:
            raise JobStoppedError(self._stopped)

    @property
    def _should_emit(self) -> bool:
        """True if the emission was switched on, and not switched off on purpose since."""
        return bool(self._values.get(EMISSION.name, False)) and not self._stopped

    def check_emission(self) -> None:
        """Raise NoLightError if the emission was switched on and is off: it is not switched on again.

        Raises JobStoppedError if it was switched off on purpose: by a signal, the safe state, its guardian.
        """
        went_dark = not self._stopped and self._should_emit and not self.emission
        if went_dark:
            # Who switched it off on purpose reports that from another thread, perhaps just now.
            self._clock.sleep_s(REPORTED_WITHIN_S)
        self._check_permitted()
        if went_dark:
            raise NoLightError(
                f"{self.name}: the emission has gone off; check interlock and key switch"
            )

    def _set(self, setting: DeviceSetting[Laser, V], value: V) -> None:
        """Set a property. Raises JobStoppedError for light after the laser was switched off past a job."""
        light = setting.name == EMISSION.name and bool(value)
        if light:
            self._check_permitted()
        elif setting.name == EMISSION.name:
            self._given_up = False  # to switch it off, every try is made once more
        super()._set(setting, value)
        if light and self._stopped:  # meanwhile, in another thread: OFF may have gone out before ON
            super().send_off()
            raise JobStoppedError(self._stopped)

    def _apply_settings(self) -> None:
        laser = self._device
        for setting in self.settings:
            if setting.name in self._values and setting.name != EMISSION.name:
                setting.apply(laser, self._values[setting.name])
        if not self._should_emit:
            laser.emission = False
            return
        if not self._policy.relight:
            raise NoLightError(
                f"{self.name}: it was lost and is there again; retries.relight = false leaves it dark"
            )
        laser.emission = True
        if (
            self._stopped
        ):  # meanwhile, in another thread: OFF may have gone to the line that was lost
            laser.send_off()
            return
        self._clock.sleep_s(laser.timing.total_ms / 1e3)
        if not laser.emission:
            raise NoLightError(
                f"{self.name}: it was lost, is there again and stays dark; "
                "check interlock and key switch"
            )
