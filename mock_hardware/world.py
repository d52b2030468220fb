"""The simulated room without its devices: light path, drift, faults, clock, and what the light passes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from drivers.types import PatternId, Roi
from mock_hardware.clock import Clock
from mock_hardware.crystal import LiquidCrystal
from mock_hardware.drift import Drift, Drifted
from mock_hardware.fault_script import Fault
from mock_hardware.faults import FaultPlan
from mock_hardware.geometry import MockGeometry
from mock_hardware.lamp import Lamp
from mock_hardware.laser_output import LaserOutput
from mock_hardware.light_path import LightPath
from mock_hardware.micromirrors import MicromirrorArray
from mock_hardware.settings import MockSettings
from mock_hardware.truth import Truth, draw_truth

Image = npt.NDArray[np.float32]
RowWeights = npt.NDArray[np.float32] | None

FULL_SCALE_SHARE_PER_UJ = 0.25 / (10.0 * 2.0)
"""Share of full scale per energy: an output-plane intensity of 1 fills a quarter with 10 mW in 2 ms."""
KNOCK_DIRECTION = np.array([0.8, -0.6])
"""Unit vector (x, y) of the angle by which a knock turns the mirror."""
MOMENTS = 6
"""Number of moments at which light that changes during an exposure is computed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the light depends on at one moment.

    phases (patches, h, w); field (h, w) on a DMD; energy_uj: what leaves the laser during the exposure.
    """

    phases: Image
    field: Image | None
    drifted: Drifted
    flicker: float
    energy_uj: float


class World:
    """The physical state that all devices of a laboratory share.

    A device acts on its part of the light (`laser_output`, `crystal`, `mirrors`) and knows no other
    device. What has to follow the others subscribes: a camera to changes of the light and to trigger
    outputs, a connection to requests for frames.
    """

    def __init__(
        self, geometry: MockGeometry, settings: MockSettings, seed: int, clock: Clock
    ) -> None:
        self.geometry = geometry
        self.settings = settings.effective()
        self.seed = seed
        self.clock = clock
        self.truth: Truth = draw_truth(geometry, settings, seed)
        self.light_path = LightPath(geometry, settings, self.truth)
        self.drift = Drift(self.settings.drift, seed)
        self.lamp = Lamp.of(self.settings.camera)
        self.automatic_gain = self.settings.camera.automatic_gain
        self.faults = FaultPlan(self.settings.faults, seed)
        # Frames are computed side by side; what they show does not depend on how many at once.
        self.workers = ThreadPoolExecutor(settings.threads or os.cpu_count() or 1, "mock light")
        self.laser_output = LaserOutput(self.drift)
        rows = geometry.patch_top + np.arange(geometry.patch_shape[0])
        self.crystal = LiquidCrystal(
            self.settings.slm, self.light_path.flat(), rows / geometry.panel_shape[0]
        )
        has_dmd = geometry.input_kind == "dmd"
        self.mirrors = MicromirrorArray(geometry.patch_shape) if has_dmd else None
        self.requests = 0
        self.on_change: list[Callable[[], None]] = []
        self.on_trigger: list[Callable[[float], None]] = []
        self.on_request: list[Callable[[int], None]] = []

    def before_change(self) -> None:
        """Announce that the light is about to change: a running camera first exposes up to now."""
        for expose_until_now in self.on_change:
            expose_until_now()

    def trigger(self, at_s: float) -> None:
        """Raise a modulator's trigger output at a time."""
        for receive in self.on_trigger:
            receive(at_s)

    def request_frame(self) -> set[Fault]:
        """Count a request for a frame and return the faults that meet it."""
        self.requests += 1
        faults = self.faults.at(self.requests)
        for begin in self.on_request:
            begin(self.requests)
        if "laser_shut" in faults:
            self.laser_output.interlock()
        return faults

    def faults_now(self) -> set[Fault]:
        """Return the faults that meet the next frame: a pattern shown now is shown for it."""
        return self.faults.at(self.requests + 1)

    def call_meets(self, fault: Fault) -> bool:
        """Return whether a call to a device meets this fault now, and count it."""
        return self.faults.call_meets(fault, self.requests + 1)

    def expose(
        self, roi: Roi, start_s: float, exposure_s: float, line_s: float, request: int
    ) -> tuple[Callable[[], Image], PatternId | None]:
        """Return what computes an exposure, and the pattern that stood still during it.

        What changes with time is read now; the light may be computed later, and on any thread.

        Args:
            roi: Window of the sensor.
            start_s: Start of the first row's exposure.
            exposure_s: Exposure time of each row.
            line_s: Delay of each row's exposure behind the row above it.
            request: The camera's number of the request, by which faults are scripted.

        Returns:
            A function that computes the expected photo-electrons (H, W), and the pattern's id; None if
            the pattern changed meanwhile.
        """
        end_s = start_s + exposure_s + line_s * roi.height
        pattern = self._pattern_during(start_s, end_s)
        moments: list[tuple[RowWeights, Scene]] = []
        if pattern is not None:
            moments = [(None, self._scene(start_s + exposure_s / 2, exposure_s))]
        else:
            slot_s = (end_s - start_s) / MOMENTS
            begins = start_s + line_s * np.arange(roi.height)
            for moment in range(MOMENTS):
                slot_start = start_s + moment * slot_s
                overlap = np.minimum(begins + exposure_s, slot_start + slot_s)
                overlap = np.clip(overlap - np.maximum(begins, slot_start), 0.0, None) / slot_s
                scene = self._scene(slot_start + slot_s / 2, slot_s)
                moments.append((overlap.astype(np.float32)[:, None], scene))
        faults = self.faults.at(request)
        gain = 0.0 if "beam_blocked" in faults else 1e3 if "saturated" in faults else 1.0

        lamp = self.lamp.share(start_s + exposure_s / 2, exposure_s)
        from_lamp = lamp * self.settings.camera.full_well_electrons

        def electrons() -> Image:
            total = np.full(roi.shape, from_lamp, np.float32)
            for rows, scene in moments:
                part = self._electrons(scene, roi, gain)
                total += part if rows is None else rows * part
            return total

        return electrons, pattern

    def _pattern_during(self, start_s: float, end_s: float) -> PatternId | None:
        """Return the pattern of the modulator that writes the input; None if any modulator moved."""
        pattern = self.crystal.pattern_during(start_s, end_s)
        if pattern is None or self.mirrors is None:
            return pattern
        return self.mirrors.pattern_during(start_s, end_s)

    def _scene(self, now_s: float, duration_s: float) -> Scene:
        return Scene(
            phases=self.crystal.phase(now_s),
            field=None if self.mirrors is None else self.mirrors.field(now_s),
            drifted=self._drifted(now_s),
            flicker=self._flicker(now_s, duration_s),
            energy_uj=self.laser_output.power_mw_at(now_s) * duration_s * 1e3,
        )

    def _drifted(self, now_s: float) -> Drifted:
        """Return how far the bench has drifted at a moment, a knocked mirror included."""
        drifted = self.drift.at(now_s)
        if "mirror_knocked" not in self.faults.at(self.requests):
            return drifted
        turn_rad = 1e-3 * self.settings.faults.knock_mrad * KNOCK_DIRECTION
        return replace(drifted, mirror_rad=drifted.mirror_rad + turn_rad)

    def _electrons(self, scene: Scene, roi: Roi, gain: float) -> Image:
        electrons = FULL_SCALE_SHARE_PER_UJ * scene.energy_uj * gain
        electrons *= self.settings.camera.full_well_electrons
        if electrons == 0.0:
            return np.zeros(roi.shape, np.float32)
        intensity = self.light_path.plane(scene.phases, scene.field, scene.drifted, scene.flicker)
        image = self.light_path.image(intensity, roi)
        image *= np.float32(electrons)
        return image

    def _flicker(self, now_s: float, duration_s: float) -> float:
        """Return the ripple of the stroke, averaged over a time: to first order as the light has it."""
        frequency = self.settings.slm.flicker_hz
        average = np.sinc(frequency * duration_s)
        return float(self.truth.flicker * average * np.sin(2.0 * np.pi * frequency * now_s))
