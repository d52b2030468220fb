"""The devices of a bench, and the calibrations that give their numbers a meaning."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import numpy.typing as npt

from calibration.dark import DarkLevel
from calibration.frame_noise import FrameNoise
from calibration.layout import PatchLayout
from calibration.packing import RightJustified, packing_step
from calibration.registration import Registration
from calibration.resample import Rectifier
from drivers.errors import DeviceStateError
from drivers.types import Roi
from labdiff.bench.description import description_html
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.intensity import IntensityConversion
from labdiff.bench.origin import BenchOrigin
from labdiff.bench.slm_display import SlmDisplay
from labdiff.bench.snapshot import BenchSnapshot, Values
from labdiff.config.simulated import with_simulated


class CalibratedDevices:
    """Devices, and the calibrations in use.

    slm, camera, laser, clock, dmd: the devices; dmd is None where a patch of the SLM writes the input.
    unpacked_devices: the same, with the camera's own counts. display: the layers on the SLM. fault_log:
    faults of the devices that were recovered from.
    origin: bench file, seed and archive; None for a bench composed by hand. simulated: what of it is, in
    one sentence; "" if nothing is.
    dark, noise, registration, rectifier: calibrations in use, None before they are.
    counts_per_ms_per_unit: counts for an intensity of 1 in each millisecond of exposure.
    """

    def __init__(self, layout: PatchLayout, devices: BenchDevices, fault_log: FaultLog) -> None:
        self.layout, self.fault_log = layout, fault_log
        self.unpacked_devices = devices
        self._packed = RightJustified(devices.camera, declared_level=devices.saturation_level)
        self._devices = replace(devices, camera=self._packed)
        self.slm, self.camera, self.laser = devices.slm, self._devices.camera, devices.laser
        self.clock, self.dmd = devices.clock, devices.dmd
        self.display = SlmDisplay(layout, self.slm, self.clock, lambda: fault_log.reopened)
        self.origin: BenchOrigin | None = None
        self.simulated = ""
        self.dark: DarkLevel | None = None
        self.noise: FrameNoise | None = None
        self.registration: Registration | None = None
        self.rectifier: Rectifier | None = None
        self.counts_per_ms_per_unit = 1.0

    @property
    def planes(self) -> int:
        """Number of SLM patches: the layers, and one more if a patch writes the input."""
        return len(self.layout.lefts)

    @property
    def whole_sensor(self) -> Roi:
        """The camera's largest window."""
        return Roi(0, 0, *self.camera.shape)

    def show(self, phases_rad: npt.NDArray[np.floating]) -> None:
        """Display patches (P, h, w) on the SLM and wait until they have settled.

        Raises DeviceTimeoutError if the SLM goes on to report another pattern.
        """
        self.display.show(phases_rad)

    def settle(self) -> None:
        """Wait until a pattern that was just displayed has settled."""
        self.display.settle()

    @property
    def packing_step(self) -> int:
        """Steps in which the camera's own counts come; the bench counts in ones."""
        return self._packed.step

    def use_packing(self, step: float) -> None:
        """Count in ones where the camera counts in steps."""
        self._packed.step = int(step)

    def find_packing(self) -> None:
        """Take one frame and find the steps in which the camera counts."""
        self.use_packing(1)
        self.use_packing(packing_step(self.camera.get_frame().pixels, self.camera.bit_depth))

    @property
    def full_scale_counts(self) -> int:
        """Count, in ones, from which a pixel of the camera is saturated, as far as it is known."""
        return self._packed.full_scale_counts

    @property
    def found_saturation(self) -> int:
        """Count from which a pixel is saturated, measured below the declared one; 0: there is none."""
        return self._packed.found_level

    def use_saturation(self, level_counts: float) -> None:
        """Take a measured saturation level where it is below the declared one; 0 goes back to that."""
        below = level_counts < self._packed.declared_full_scale_counts
        self._packed.found_level = int(level_counts) if below else 0

    def use_registration(self, registration: Registration, margin_px: int = 24) -> None:
        """Read out only the window of the camera on which the output plane falls, and rectify it."""
        self.camera.roi = self.output_window(registration, margin_px)
        self.registration = registration
        self.rectifier = Rectifier(registration, self.camera.roi, self.layout.patch_shape)

    def output_window(self, registration: Registration, margin_px: int = 24) -> Roi:
        """Return the window of the camera on which the output plane falls, with a margin around it."""
        height, width = self.layout.patch_shape
        corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
        places = registration.plane_to_camera(np.array(corners, float))
        low = np.clip(np.floor(places.min(0)) - margin_px, 0, np.array(self.camera.shape) - 2)
        high = np.clip(np.ceil(places.max(0)) + margin_px, low + 2, self.camera.shape)
        top, left = (int(v) for v in low)
        return Roi(top, left, int(high[0]) - top, int(high[1]) - left)

    @property
    def lit(self) -> bool:
        """Whether the laser emits."""
        return self.laser.emission

    def __repr__(self) -> str:
        """Return what the bench is made of, in one line."""
        return f"<bench: {'; '.join(f'{k}: {v}' for k, v in self.description().items())}>"

    def _repr_html_(self) -> str:
        """Return what the bench is made of as a table, for a notebook."""
        return description_html(self.description())

    def description(self) -> dict[str, str]:
        """Return what the bench is made of and what of it is calibrated, by part."""
        (height, width), slm, camera = self.layout.patch_shape, self.slm, self.camera
        results = {
            "dark level": self.dark,
            "registration": self.registration,
            "camera noise": self.noise,
        }
        calibrated = [name for name, result in results.items() if result is not None]
        source = "composed by hand" if self.origin is None else self.origin.file.source
        return {
            "bench": with_simulated(source, self.simulated),
            "SLM": f"{slm.name}, {slm.shape[0]} x {slm.shape[1]} px, {slm.bit_depth} bit",
            "patches": f"{self.planes} of {height} x {width} px",
            "input": "a patch of the SLM" if self.dmd is None else self.dmd.name,
            "camera": f"{camera.name}, {camera.shape[0]} x {camera.shape[1]} px, {camera.bit_depth} bit",
            "laser": f"{self.laser.name}, {'on' if self.lit else 'off'}",
            "calibrated": ", ".join(calibrated) or "nothing yet: labdiff.calibrate(bench)",
        }

    def conversion(self) -> IntensityConversion:
        """Return what makes intensity of frames. Raises DeviceStateError before the bench is calibrated."""
        if self.dark is None or self.rectifier is None:
            raise DeviceStateError("bench: not calibrated; run the calibration before measuring")
        return IntensityConversion(
            self.dark, self.rectifier, self.noise, self.counts_per_ms_per_unit
        )

    def calibration_values(self) -> Values:
        """Return the calibrations in use for a snapshot, dark level and registration aside."""
        values = self.display.state()
        values["counts_per_ms_per_unit"] = self.counts_per_ms_per_unit
        values["packing_step"] = self.packing_step
        values["found_saturation"] = self.found_saturation
        if self.rectifier is not None:
            roi = self.rectifier.roi
            values["rectified"] = np.array([roi.top, roi.left, roi.height, roi.width])
        if self.noise is not None:
            values["noise"] = np.array(astuple(self.noise))
        return values

    def restore_calibrations(self, state: BenchSnapshot) -> None:
        """Use the calibrations of a snapshot."""
        values = state.values
        self.dark, self.registration = state.dark, state.registration
        self.use_packing(float(values["packing_step"]))
        self.use_saturation(float(values.get("found_saturation", 0)))
        self.display.restore(values)
        if "rectified" in values and state.registration is not None:
            roi = Roi(*(int(edge) for edge in np.asarray(values["rectified"])))
            self.rectifier = Rectifier(state.registration, roi, self.layout.patch_shape)
        if "noise" in values:
            self.noise = FrameNoise(*np.asarray(values["noise"]).tolist())
        self.counts_per_ms_per_unit = float(values["counts_per_ms_per_unit"])
