"""Qt's surroundings in which a pixel is a pixel; to be arranged before Qt is imported."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SCALING = (
    "QT_SCALE_FACTOR",
    "QT_SCREEN_SCALE_FACTORS",
    "QT_AUTO_SCREEN_SCALE_FACTOR",
    "QT_DEVICE_PIXEL_RATIO",
    "QT_SCALE_FACTOR_ROUNDING_POLICY",
    "QT_USE_PHYSICAL_DPI",
)


def native_pixels(environment: MutableMapping[str, str] = os.environ) -> None:
    """Switch off scaling by Qt in an environment, however the user's other windows are magnified."""
    for name in SCALING:
        environment.pop(name, None)
    environment["QT_ENABLE_HIGHDPI_SCALING"] = "0"
