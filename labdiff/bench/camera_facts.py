"""What a camera tells of itself when it is opened, for a bench file that is being written."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.errors import DeviceError, DeviceValueError
from labdiff.bench.openers import camera_opener
from labdiff.config.bench import BenchConfig
from labdiff.config.libraries import require_confirmed
from labdiff.errors import UserError

BIT_DEPTHS = (12, 10, 8, 14, 16)
"""Bits of one count that are tried, in this order: counts of more than 12 bits rarely hold more."""


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What a camera tells.

    name: maker, model, serial. shape: (height, width) of the sensor. exposure_range_ms: (least, most).
    """

    name: str
    shape: tuple[int, int]
    bit_depth: int
    exposure_range_ms: tuple[float, float]


def camera_facts(config: BenchConfig) -> CameraFacts:
    """Open the camera of a bench file and ask it, whatever shape and bits are declared.

    Raises:
        UserError: If it names a library that was not confirmed on this computer, or an option is wrong.
        DeviceError: If it is not there, or has none of `BIT_DEPTHS`.
    """
    require_confirmed(config)
    refusal: DeviceError | UserError = DeviceValueError("camera: no bit depth was tried")
    for bits in BIT_DEPTHS:
        camera = config.camera.model_copy(update={"bit_depth": bits})
        try:
            opened = camera_opener(config.model_copy(update={"camera": camera}))()
        except DeviceValueError as error:
            refusal = error
            continue
        try:
            low, high = opened.exposure_range_ms
            return CameraFacts(opened.name, opened.shape, opened.bit_depth, (low, high))
        finally:
            opened.close()
    raise refusal
