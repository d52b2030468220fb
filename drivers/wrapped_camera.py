"""A camera around a camera: passes everything on, until a method is replaced."""

from __future__ import annotations

from typing import Any

from drivers.protocols import Camera
from drivers.types import Frame, Roi


class WrappedCamera:
    """Replace `get_frame` to do something with each frame; what is not named here is the real camera's."""

    def __init__(self, real: Camera) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    @property
    def exposure_ms(self) -> float:
        """As the real one."""
        return self.real.exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        self.real.exposure_ms = value

    @property
    def roi(self) -> Roi:
        """As the real one."""
        return self.real.roi

    @roi.setter
    def roi(self, value: Roi) -> None:
        self.real.roi = value

    def get_frame(self) -> Frame:
        """As the real one."""
        return self.real.get_frame()

    def get_frames(self, count: int) -> list[Frame]:
        """`count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]
