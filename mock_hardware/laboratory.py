"""The room: one light path, the devices that see it, one clock, one seed."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from drivers.types import PatternId, Roi
from mock_hardware.camera import MockCamera
from mock_hardware.clock import Clock, RealClock, VirtualClock
from mock_hardware.dmd import MockDMD
from mock_hardware.drift import Drift, Drifted
from mock_hardware.fault_script import Fault
from mock_hardware.faults import FaultPlan
from mock_hardware.geometry import MockGeometry
from mock_hardware.laser import MockLaser, MockPowerMeter
from mock_hardware.light_path import LightPath
from mock_hardware.settings import MockSettings
from mock_hardware.slm import MockSLM
from mock_hardware.state import HasState, State, named, part
from mock_hardware.truth import Truth, draw_truth

Image = npt.NDArray[np.float32]

Rows = npt.NDArray[np.float32] | None
FULL_SCALE_SHARE_PER_UJ = 0.25 / (10.0 * 2.0)
"""An output-plane intensity of 1 fills a quarter of the well with 10 mW in 2 ms."""
KNOCKED_TO = np.array([0.8, -0.6])
"""Direction (x, y) in which a knock turns the mirror."""
MOMENTS = 6
"""Moments at which light that changes during an exposure is looked at."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The room at one moment: all that the light depends on.

    phases (patches, h, w); field (h, w) on a DMD; energy_uj: what leaves the laser meanwhile.
    """

    phases: Image
    field: Image | None
    drifted: Drifted
    flicker: float
    energy_uj: float


class MockLaboratory:
    """A bench of simulated devices with hidden imperfections.

    `truth` holds what is hidden; labdiff never reads it.
    """

    def __init__(
        self, geometry: MockGeometry, dials: MockSettings, seed: int, clock: Clock
    ) -> None:
        self.geometry = geometry
        self.dials = dials.effective()
        self.seed = seed
        self.clock = clock
        self.truth: Truth = draw_truth(geometry, dials, seed)
        self.light_path = LightPath(geometry, dials, self.truth)
        self.drift = Drift(self.dials.drift, seed)
        self.faults = FaultPlan(self.dials.faults, seed)
        # Frames are computed side by side; what they show does not depend on how many at once.
        self.workers = ThreadPoolExecutor(dials.threads or os.cpu_count() or 1, "mock light")
        self.laser = MockLaser(self)
        self.power_meter = MockPowerMeter(self)
        self.slm = MockSLM(self)
        self.dmd = MockDMD(self) if geometry.input_kind == "dmd" else None
        self.camera = MockCamera(self)

    @classmethod
    def create(
        cls, geometry: MockGeometry, dials: MockSettings | None = None, seed: int = 0
    ) -> MockLaboratory:
        """A laboratory with the imperfections of this seed."""
        dials = dials or MockSettings()
        return cls(
            geometry, dials, seed, VirtualClock() if dials.clock == "virtual" else RealClock()
        )

    def state(self) -> State | None:
        """All that a fresh laboratory of this seed has to know to go on from here; None in real time.

        What is hidden, the drift and the chances of faults follow from seed, time and counters.
        """
        if not isinstance(self.clock, VirtualClock):
            return None
        state: State = {"now_s": self.clock.now_s()}
        for name, each in self._parts.items():
            state |= named(name, each.state())
        return state

    def restore(self, state: State) -> None:
        """Go on as the laboratory of the same geometry, dials and seed would whose state this is."""
        assert isinstance(self.clock, VirtualClock)
        self.clock.restore(float(state["now_s"]))
        for name, each in self._parts.items():
            each.restore(part(name, state))

    @property
    def _parts(self) -> dict[str, HasState]:
        found: dict[str, HasState] = {"faults": self.faults, "camera": self.camera}
        called: dict[str, MockLaser | MockSLM | MockDMD | None] = {
            "laser": self.laser,
            "slm": self.slm,
            "dmd": self.dmd,
        }
        for name, device in called.items():
            if device is not None:
                found |= {name: device, f"{name} plug": device.plug}
        return found

    def faults_now(self) -> set[Fault]:
        """The faults that will meet the next frame: what is written now is written for it."""
        return self.faults.at(self.camera.requests + 1) if hasattr(self, "camera") else set()

    def call_meets(self, fault: Fault) -> bool:
        """Does a call to a device meet this fault now?"""
        return self.faults.call_meets(fault, self.camera.requests + 1)

    def before_change(self) -> None:
        """A device is about to change the light: a running camera first sees what was before."""
        if hasattr(self, "camera"):
            self.camera.catch_up()

    def trigger(self, at_s: float) -> None:
        """A modulator's trigger output."""
        if hasattr(self, "camera"):
            self.camera.on_trigger(at_s)

    def expose(
        self, roi: Roi, start_s: float, exposure_s: float, line_s: float, request: int
    ) -> tuple[Callable[[], Image], PatternId | None]:
        """What computes the expected photo-electrons (H, W), and the pattern they belong to.

        The pattern is None if it changed meanwhile. Everything that moves is looked at now; the light
        may be computed later, and on any thread. line_s: delay of each row's exposure behind the row
        above it. request: the camera's, by which faults are scripted.
        """
        end_s = start_s + exposure_s + line_s * roi.height
        pattern = self.slm.crystal.pattern_during(start_s, end_s)
        if self.dmd is not None:
            written = self.dmd.pattern_during(start_s, end_s)
            pattern = written if pattern is not None else None
        moments: list[tuple[Rows, Scene]] = []
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

        def light() -> Image:
            total = np.zeros(roi.shape, np.float32)
            for rows, scene in moments:
                part = self._electrons(scene, roi, gain)
                total += part if rows is None else rows * part
            return total

        return light, pattern

    def _scene(self, now_s: float, duration_s: float) -> Scene:
        return Scene(
            phases=self.slm.crystal.phase(now_s),
            field=None if self.dmd is None else self.dmd.field(now_s),
            drifted=self._moved(now_s),
            flicker=self._flicker(now_s, duration_s),
            energy_uj=self.laser.light_mw(now_s) * duration_s * 1e3,
        )

    def _moved(self, now_s: float) -> Drifted:
        """What has drifted until now, and what was knocked."""
        drifted = self.drift.at(now_s)
        if "mirror_knocked" not in self.faults.at(self.camera.requests):
            return drifted
        turn_rad = 1e-3 * self.dials.faults.knock_mrad * KNOCKED_TO
        return replace(drifted, mirror_rad=drifted.mirror_rad + turn_rad)

    def _electrons(self, scene: Scene, roi: Roi, gain: float) -> Image:
        electrons = FULL_SCALE_SHARE_PER_UJ * scene.energy_uj * gain
        electrons *= self.dials.camera.full_well_electrons
        if electrons == 0.0:
            return np.zeros(roi.shape, np.float32)
        intensity = self.light_path.plane(scene.phases, scene.field, scene.drifted, scene.flicker)
        image = self.light_path.image(intensity, roi)
        image *= np.float32(electrons)
        return image

    def _flicker(self, now_s: float, duration_s: float) -> float:
        """Ripple of the stroke, averaged over a time: to first order as the light sees it."""
        frequency = self.dials.slm.flicker_hz
        average = np.sinc(frequency * duration_s)
        return float(self.truth.flicker * average * np.sin(2.0 * np.pi * frequency * now_s))
