"""The exceptions a device may raise, and when.

DeviceError                     anything below
  DeviceNotFoundError           opening: nothing there, in use by another program, or its library is missing
  DeviceDisconnectedError       it was open and is lost (unplugged, powered off)
  DeviceTimeoutError            it is there and did not answer in time
  DeviceValueError              a value it cannot take: shape, range, unit (also a ValueError)
  DeviceStateError              a call it cannot take now (closed, emission interlocked)
  LaserMayBeOnError             a laser was switched off and cannot be confirmed dark
  NoLightError                  every device answers and no light arrives (shutter, interlock, beam block)
  TooMuchLightError             every device answers and frames are saturated
"""

from __future__ import annotations


class DeviceError(Exception):
    """Base of all device exceptions. The message names the device, what happened, and the remedy."""


class DeviceNotFoundError(DeviceError):
    """Raised while opening: nothing is there, it is in use, or its library is missing."""


class DeviceDisconnectedError(DeviceError):
    """Raised when a device that was open is lost."""


class DeviceTimeoutError(DeviceError):
    """Raised when a device did not answer in the time it declares."""


class DeviceValueError(DeviceError, ValueError):
    """Raised for a value outside what the device allows; the message gives value and limits."""


class DeviceStateError(DeviceError):
    """Raised for a call in the wrong state, as using a closed device."""


class LaserMayBeOnError(DeviceError):
    """Raised when a laser was told to switch off and its answers do not confirm that it is dark."""


class NoLightError(DeviceError):
    """Raised by the bench when frames are dark though light was asked for."""


class TooMuchLightError(DeviceError):
    """Raised by the bench when frames are saturated however often they are taken."""
