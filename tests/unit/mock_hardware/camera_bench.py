"""A mock bench of one small layer, for tests of the mock camera: exposures, triggers, pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.types import Frame
from mock_hardware.dmd import MockDMD
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

Array = npt.NDArray[np.float64]
GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 80), (24, 24), 8, (4, 44), 3.0, 0.1, "slm_patch", (40, 44), 3.45, 12, 0.6
)
DMD_GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 80), (24, 24), 8, (4, 44), 3.0, 0.1, "dmd", (40, 44), 3.45, 12, 0.6
)
LARGEST = 2**GEOMETRY.camera_bit_depth - 1
FLAT = np.zeros(GEOMETRY.panel_shape)
STRIPES = FLAT + np.where(np.arange(GEOMETRY.panel_shape[1]) // 4 % 2, 2.5, 0.0)
REFRESH_S = 0.02
AT_ONCE = {"refresh_hz": 1.0 / REFRESH_S, "scan_ms": 0.0, "rise_ms": 0.0, "fall_ms": 0.0}
"""A crystal that steps as a whole at its refresh."""


def perfect(**sections: dict[str, Any]) -> MockSettings:
    """Every effect off, and some features changed."""
    off = MockSettings(threads=1).off()
    update = {s: getattr(off, s).model_copy(update=part) for s, part in sections.items()}
    return off.model_copy(update=update)


def laboratory(
    settings: MockSettings | None = None, geometry: MockGeometry = GEOMETRY, seed: int = 1
) -> MockLaboratory:
    lab = MockLaboratory.create(geometry, settings or perfect(), seed)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    return lab


def dmd_laboratory(**camera: Any) -> tuple[MockLaboratory, MockDMD]:
    """A DMD bench whose camera waits for the DMD's trigger."""
    lab = laboratory(perfect(camera=camera), DMD_GEOMETRY)
    lab.camera.trigger = "hardware"
    assert lab.dmd is not None
    return lab, lab.dmd


def show(lab: MockLaboratory, phase_rad: Array) -> int:
    """Show a pattern and wait until it has settled."""
    pattern = lab.slm.set_phase(phase_rad)
    lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)
    return pattern


def wait_until(lab: MockLaboratory, moment_s: float) -> None:
    assert moment_s >= lab.world.clock.now_s(), "the test asks for the past"
    lab.world.clock.sleep_s(moment_s - lab.world.clock.now_s())


def counts(frame: Frame) -> Array:
    return frame.pixels.astype(float)


def settled_frames(settings: MockSettings) -> tuple[Array, Array]:
    """What FLAT and STRIPES look like."""
    lab = laboratory(settings)
    flat = counts(lab.camera.get_frame())
    show(lab, STRIPES)
    return flat, counts(lab.camera.get_frame())


def free_running(**camera: Any) -> MockLaboratory:
    lab = laboratory(perfect(camera=camera))
    lab.camera.trigger = "free_run"
    return lab
