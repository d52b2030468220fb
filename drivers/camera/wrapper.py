"""A camera around a camera: passes everything on, but each frame through `changed`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from drivers.protocols import Camera, ReadOut, TriggeredReadOut
from drivers.types import Frame, Roi


class WrappedCamera:
    """Replace `changed`, or an act; what is not named here is the real camera's."""

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

    def changed(self, frame: Frame) -> Frame:
        """What is made of each frame."""
        return frame

    def expose(self) -> ReadOut:
        """As the real one."""
        read = self.real.expose()
        return lambda: self.changed(read())

    def get_frame(self) -> Frame:
        """Both acts in one."""
        return self.expose()()

    def get_frames(self, count: int) -> list[Frame]:
        """`count` exposures in a row."""
        return [self.get_frame() for _ in range(count)]

    @property
    def has_trigger_input(self) -> bool:
        """As the real one."""
        return self.real.has_trigger_input

    def triggered(self, count: int) -> AbstractContextManager[TriggeredReadOut]:
        """As the real one."""
        return self._triggered(count)

    @contextmanager
    def _triggered(self, count: int) -> Iterator[TriggeredReadOut]:
        with self.real.triggered(count) as read:

            def read_changed() -> tuple[int, Frame]:
                number, frame = read()
                return number, self.changed(frame)

            yield read_changed
