"""The shipped mock bench, its devices bare: for calibrations that take devices one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from calibration.layout import PatchLayout
from calibration.step import CalibrationStep
from labdiff.bench.bench import Bench
from labdiff.bench.mock_bench import MockBench
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

T = TypeVar("T")
LEFTS = (20, 140, 260, 380, 500)
LAYOUT = PatchLayout((144, 640), (100, 100), 22, LEFTS, 9.2, 850.0, 11.4, 0.6)
GEOMETRY = MockGeometry(
    850.0, 9.2, (144, 640), (100, 100), 22, LEFTS, 5.7, 0.6, "slm_patch", (256, 320), 3.45, 12, 0.6
)


def laboratory(
    seed: int,
    settings: MockSettings | None = None,
    emission: bool = True,
    exposure_ms: float | None = None,
) -> MockLaboratory:
    """A room whose laser is on, and whose shutter has opened."""
    lab = MockLaboratory.create(GEOMETRY, settings, seed)
    lab.laser.emission = emission
    lab.world.clock.sleep_s(lab.laser.timing.total_ms / 1e3)
    if exposure_ms is not None:
        lab.camera.exposure_ms = exposure_ms
    return lab


def laboratory_of(bench: Bench) -> MockLaboratory:
    """Return the mock laboratory behind a bench. Raises TypeError on another bench."""
    if not isinstance(bench, MockBench):
        raise TypeError("no mock laboratory behind this bench")
    return bench.laboratory


def settle(lab: MockLaboratory) -> Callable[[], None]:
    """What waits until the SLM stands."""
    return lambda: lab.world.clock.sleep_s(lab.slm.timing.total_ms / 1e3)


def result_of(routine: Generator[CalibrationStep, None, T]) -> T:
    """Of a routine, run to its end."""
    while True:
        try:
            next(routine)
        except StopIteration as stop:
            result: T = stop.value
            return result
