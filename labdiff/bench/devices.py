"""The devices of a bench as one record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.protocols import SLM, Camera, Device, InputModulator, Laser
from labdiff.bench.clock import BenchClock


@dataclass(frozen=True, slots=True)
class BenchDevices:
    """The devices of a bench, and the clock by which they are waited for.

    dmd: None if a patch of the SLM writes the input. frames_name_patterns: the camera's frames carry the
    id of their pattern, as only simulated ones can.
    """

    slm: SLM
    camera: Camera
    laser: Laser
    clock: BenchClock
    dmd: InputModulator | None = None
    frames_name_patterns: bool = False

    def __iter__(self) -> Iterator[Device]:
        """Yield the devices in the order in which they are closed."""
        yield self.camera
        if self.dmd is not None:
            yield self.dmd
        yield self.slm
        yield self.laser
