"""The room: one light path, the devices that see it, one clock, one seed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from drivers.types import PatternId, Roi
from mock_hardware.camera import MockCamera
from mock_hardware.clock import Clock, RealClock, VirtualClock
from mock_hardware.config import MockGeometry, MockImperfections
from mock_hardware.dmd import MockDMD
from mock_hardware.laser import MockLaser, MockPowerMeter
from mock_hardware.optics import CavityOptics
from mock_hardware.relay import Relay
from mock_hardware.slm import MockSLM
from mock_hardware.truth import Truth, draw_truth

FULL_SCALE_SHARE_PER_MW_MS = 0.25 / (10.0 * 2.0)
"""An output-plane intensity of 1 fills a quarter of the well with 10 mW in 2 ms."""


class MockLaboratory:
    """A bench of simulated devices with hidden imperfections.

    `truth` holds what is hidden; labdiff never reads it.
    """

    def __init__(
        self, geometry: MockGeometry, dials: MockImperfections, seed: int, clock: Clock
    ) -> None:
        self.geometry = geometry
        self.seed = seed
        self.clock = clock
        self.truth: Truth = draw_truth(geometry, dials, seed)
        self.full_well_electrons = dials.full_well_electrons
        self.laser = MockLaser(geometry.wavelength_nm)
        self.power_meter = MockPowerMeter(self.laser)
        self.slm = MockSLM(self)
        self.dmd = MockDMD(self) if geometry.input_kind == "dmd" else None
        self.camera = MockCamera(self, dials.camera_unplugged_after_frames)
        self._optics = CavityOptics(geometry, self.truth)
        phase = self.truth.phase_by_grey_rad
        self._phasor_by_grey = np.exp(1j * phase).astype(np.complex64)
        self._relays: dict[Roi, Relay] = {}

    @classmethod
    def create(
        cls,
        geometry: MockGeometry,
        imperfections: MockImperfections,
        seed: int,
        clock: Literal["virtual", "real"] = "virtual",
    ) -> MockLaboratory:
        """A laboratory with the imperfections of this seed."""
        return cls(
            geometry, imperfections, seed, VirtualClock() if clock == "virtual" else RealClock()
        )

    @property
    def electrons_per_ms(self) -> float:
        """Photo-electrons a pixel and millisecond for an output-plane intensity of 1."""
        power_mw = self.laser.power_mw if self.laser.emission else 0.0
        return FULL_SCALE_SHARE_PER_MW_MS * power_mw * self.full_well_electrons

    def light_on(self, roi: Roi, now_s: float) -> tuple[npt.NDArray[np.float32], PatternId | None]:
        """Light on a window of the sensor, and the pattern it belongs to (None: changing)."""
        grey, pattern = self.slm.grey_between(now_s)
        if not self.laser.emission:
            return np.zeros(roi.shape, np.float32), pattern
        height, width = self.geometry.patch_shape
        top = self.geometry.patch_top
        planes = np.stack(
            [
                self._phasor_by_grey[grey[top : top + height, left : left + width]]
                for left in self.geometry.patch_lefts
            ]
        )
        if self.dmd is None:
            intensity = self._optics.intensity(planes[0], planes[1:])
        else:
            field, dmd_pattern = self.dmd.field_at(now_s)
            pattern = dmd_pattern if pattern is not None else None
            intensity = self._optics.intensity(field.astype(np.complex64), planes)
        return self._relay(roi)(intensity), pattern

    def _relay(self, roi: Roi) -> Relay:
        if roi not in self._relays:
            truth = self.truth
            self._relays[roi] = Relay(
                truth.camera_matrix,
                truth.camera_offset_px,
                self.geometry.patch_shape,
                (roi.top, roi.left, roi.height, roi.width),
            )
        return self._relays[roi]
