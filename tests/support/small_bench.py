"""A mock bench so small that a frame takes a millisecond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np

from calibration.dark import DarkLevel
from calibration.layout import PatchLayout
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import Verdict
from labdiff.bench.bench import Bench
from labdiff.bench.devices import BenchDevices
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings


def straight(
    layout: PatchLayout, camera_shape: tuple[int, int], magnification: float
) -> Registration:
    """Upright and centred on a camera with pixels of 3.45 um."""
    matrix = magnification * layout.pixel_pitch_um / 3.45 * np.eye(2)
    centre = (np.array(layout.patch_shape) - 1) / 2
    offset = (np.array(camera_shape) - 1) / 2 - matrix @ centre
    return Registration(matrix, offset, 0.0, 0.0, Verdict("pass", ""))


@contextmanager
def small_bench(input_kind: Literal["slm_patch", "dmd"]) -> Iterator[tuple[MockLaboratory, Bench]]:
    """Two layers of 16 x 16, calibrated by the data sheet, an intensity of 1 for a flat pattern's."""
    lefts = (2, 22, 42)
    geometry = MockGeometry(
        850.0, 9.2, (24, 60), (16, 16), 4, lefts, 2.0, 0.1, input_kind, (24, 24), 3.45, 12, 0.4
    )
    lab = MockLaboratory.create(geometry, MockSettings(threads=1).off(), 0)
    layout = PatchLayout((24, 60), (16, 16), 4, lefts, 9.2, 850.0, 4.0)
    devices = BenchDevices(
        lab.slm, lab.camera, lab.laser, lab.world.clock, lab.dmd, frames_name_patterns=True
    )
    bench = Bench(layout, devices)
    bench.dark = DarkLevel(0.0, 0.0, 0.0, Verdict("pass", ""))
    registration = straight(layout, (24, 24), 0.4)
    bench.rectifier = Rectifier(registration, lab.camera.roi, (16, 16))
    with bench:
        layers = layout.flat()[:2] if input_kind == "slm_patch" else layout.flat()
        flat = bench.measure(np.ones((1, 16, 16)), layers)
        bench.counts_per_ms_per_unit = float(flat.intensity.mean())
        yield lab, bench
