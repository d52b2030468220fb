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
    id of their pattern, as only simulated ones can. saturation_level: count from which the camera's pixels
    are saturated, by the bench file; 0: the largest of its bit depth.
    """

    slm: SLM
    camera: Camera
    laser: Laser
    clock: BenchClock
    dmd: InputModulator | None = None
    frames_name_patterns: bool = False
    saturation_level: int = 0

    def __iter__(self) -> Iterator[Device]:
        """Yield the devices in the order in which they are closed."""
        yield self.camera
        if self.dmd is not None:
            yield self.dmd
        yield self.slm
        yield self.laser
