"""Twelve bits in the upper end of sixteen are found and moved down."""

from __future__ import annotations

from typing import Literal

import numpy as np

from calibration.packing import RightJustified, packing_step
from drivers.types import Roi
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockCameraSettings, MockSettings

GEOMETRY = MockGeometry(
    850.0, 9.2, (24, 60), (16, 16), 4, (2, 22), 2.0, 0.1, "slm_patch", (24, 24), 3.45, 12, 0.4
)


def test_frames_of_a_left_packed_camera_are_those_of_a_right_packed_one() -> None:
    frames = {}
    packings: tuple[Literal["left", "right"], ...] = ("left", "right")
    for packing in packings:
        settings = MockSettings(threads=1, camera=MockCameraSettings(packing=packing))
        lab = MockLaboratory.create(GEOMETRY, settings, 3)
        step = packing_step(lab.camera.get_frame().pixels, 12)
        assert step == {"left": 16, "right": 1}[packing]
        camera = RightJustified(lab.camera, step)
        camera.exposure_ms, camera.roi = 3.0, Roi(2, 3, 10, 12)
        lab.laser.emission = True
        lab.world.clock.sleep_s(1.0)
        camera.get_frame()
        lab.world.faults.add("saturated", lab.camera.requests + 1)
        frames[packing] = camera.get_frame()
    np.testing.assert_array_equal(frames["left"].pixels, frames["right"].pixels)
    assert frames["left"].saturated_fraction == frames["right"].saturated_fraction > 0.5
    assert frames["left"].exposure_ms == 3.0
    assert frames["left"].pixels.shape == (10, 12)


def test_few_values_or_even_ones_by_chance_are_no_packing() -> None:
    assert packing_step(np.full((4, 4), 4095, np.uint16), 12) == 1
    assert packing_step(np.array([[0, 16, 32, 48]], np.uint16), 12) == 1
    assert packing_step(np.arange(0, 600, 6, dtype=np.uint16), 12) == 2
    assert packing_step(np.arange(0, 6000, 256, dtype=np.uint16), 12) == 16
