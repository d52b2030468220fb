"""The bench: its devices, the calibrations that give their numbers a meaning, and `measure`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from types import TracebackType

import numpy as np
import numpy.typing as npt

from calibration.dark import DarkLevel
from calibration.frame_noise import FrameNoise
from calibration.layout import PatchLayout
from calibration.packing import RightJustified, packing_step
from calibration.registration import Registration
from calibration.resample import Rectifier
from drivers.errors import DeviceStateError, NoLightError
from drivers.types import Frame, Roi
from labdiff.bench.batch import Arrays, NextBatch, PatternBatch, ShouldStop
from labdiff.bench.batch_acquisition import BatchAcquisition
from labdiff.bench.bench_safety import BenchSafety
from labdiff.bench.description import description_html
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.frame_log import FrameLog
from labdiff.bench.frame_replay import FrameReplay, RoutineRecording
from labdiff.bench.frame_validation import FrameValidator, RejectReason
from labdiff.bench.intensity import IntensityConversion
from labdiff.bench.measurement import Measurement
from labdiff.bench.origin import BenchOrigin
from labdiff.bench.recorded_devices import BEFORE_ALL
from labdiff.bench.slm_display import SlmDisplay
from labdiff.bench.snapshot import (
    DEVICES,
    BenchSnapshot,
    NotRestorable,
    Restorable,
    Values,
    of_devices,
)
from labdiff.bench.timing import DeclaredTiming

MOST_SATURATED = 0.05
"""Share of a frame's pixels that may be saturated, unless the bench file gives another."""
LEAST_LIGHT = 0.01
"""Mean of a frame below which no light arrives: no trained layers send 99 % of it past the camera."""
REAL_DEVICES = NotRestorable()


class Bench:
    """Devices, and the calibrations that give their numbers a meaning.

    A context manager: entering switches the laser on; leaving, by whatever way, switches it off, displays
    a flat pattern and closes the devices.

    slm, camera, laser, clock, dmd: the devices; dmd is None where a patch of the SLM writes the input.
    unpacked_devices: the same, with the camera's own counts. display: the layers on the SLM. fault_log:
    faults of the devices that were recovered from.
    origin: bench file, seed and archive; None for a bench composed by hand.
    on_frames: called with the frames of each batch, as by a live view. dark, noise, registration,
    rectifier: calibrations in use, None before they are. counts_per_ms_per_unit: counts for an intensity
    of 1 in each millisecond of exposure.
    """

    def __init__(
        self,
        layout: PatchLayout,
        devices: BenchDevices,
        fault_log: FaultLog | None = None,
        most_saturated: float = MOST_SATURATED,
        restorable: Restorable = REAL_DEVICES,
    ) -> None:
        self.layout = layout
        self.fault_log = fault_log or FaultLog()
        self._replay = FrameReplay(devices)
        self.unpacked_devices = self._replay.devices
        self._packed = RightJustified(self.unpacked_devices.camera)
        devices = replace(self.unpacked_devices, camera=self._packed)
        self.slm, self.camera, self.laser = devices.slm, devices.camera, devices.laser
        self.clock, self.dmd = devices.clock, devices.dmd
        self.origin: BenchOrigin | None = None
        self.dark: DarkLevel | None = None
        self.noise: FrameNoise | None = None
        self.registration: Registration | None = None
        self.rectifier: Rectifier | None = None
        self.counts_per_ms_per_unit = 1.0
        self.on_frames: Callable[[list[Frame]], None] | None = None
        self.display = SlmDisplay(layout, self.slm, self.clock, lambda: self.fault_log.reopened)
        self._acquisition = BatchAcquisition(
            layout, devices, self.display, self.fault_log, most_saturated
        )
        self._safety = BenchSafety(devices, self.display.flatten)
        self._restorable = restorable

    def __enter__(self) -> Bench:
        """Switch the laser on; close everything if that fails."""
        try:
            self.switch_on()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Enter the safe state and close the devices."""
        self.close()

    @contextmanager
    def lent(self) -> Iterator[Bench]:
        """Give an open bench to one job: laser on; at the end, by whatever way, the safe state."""
        try:
            self.switch_on()
            yield self
        finally:
            self.make_safe()

    def switch_on(self) -> None:
        """Switch the laser on, and wait until its light may be relied on."""
        self._safety.switch_on()

    def make_safe(self) -> None:
        """Switch the laser off and flatten the SLM; a device that fails does not keep the other from it."""
        self._safety.make_safe()

    def send_off(self) -> None:
        """Send OFF to the laser at once, from any thread; the job that uses the light ends soon after."""
        self._safety.send_off()

    def close(self) -> None:
        """Enter the safe state and close every device, whatever fails."""
        self._safety.close()

    @property
    def left_unsafe(self) -> list[str]:
        """What the last way into the safe state could not do, one line each."""
        return self._safety.left_unsafe

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
        return {
            "bench": "composed by hand" if self.origin is None else self.origin.file.source,
            "SLM": f"{slm.name}, {slm.shape[0]} x {slm.shape[1]} px, {slm.bit_depth} bit",
            "patches": f"{self.planes} of {height} x {width} px",
            "input": "a patch of the SLM" if self.dmd is None else self.dmd.name,
            "camera": f"{camera.name}, {camera.shape[0]} x {camera.shape[1]} px, {camera.bit_depth} bit",
            "laser": f"{self.laser.name}, {'on' if self.lit else 'off'}",
            "calibrated": ", ".join(calibrated) or "nothing yet: labdiff.calibrate(bench)",
        }

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

    def use_registration(self, registration: Registration, margin_px: int = 24) -> None:
        """Read out only the window of the camera on which the output plane falls, and rectify it."""
        height, width = self.layout.patch_shape
        corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
        places = registration.plane_to_camera(np.array(corners, float))
        low = np.clip(np.floor(places.min(0)) - margin_px, 0, np.array(self.camera.shape) - 2)
        high = np.clip(np.ceil(places.max(0)) + margin_px, low + 2, self.camera.shape)
        top, left = (int(v) for v in low)
        self.camera.roi = Roi(top, left, int(high[0]) - top, int(high[1]) - left)
        self.registration = registration
        self.rectifier = Rectifier(registration, self.camera.roi, self.layout.patch_shape)

    def measure(self, inputs: Arrays, phases_rad: Arrays) -> Measurement:
        """Send inputs through layers and return the intensity that the camera sees.

        A frame that does not belong to its pattern, or is saturated, is taken again, at most three times;
        so is a batch during which a device was lost and reopened.

        Args:
            inputs: (B, h, w), radians for an SLM patch, amplitude in 0 ... 1 for a DMD.
            phases_rad: Layers (N, h, w) for the whole batch, or (B, N, h, w), which on a bench with a DMD
                updates the SLM for each input.

        Returns:
            The measurement, intensity (B, h, w).

        Raises:
            DeviceStateError: Before the bench is calibrated.
            NoLightError: If no light arrives.
            TooMuchLightError: If frames are saturated.
            DeviceError: If a device fails.
        """
        return self.to_intensity(self.acquire(inputs, phases_rad))

    def acquire(
        self,
        inputs: Arrays,
        phases_rad: Arrays,
        should_stop: ShouldStop = lambda: False,
        next_batch: NextBatch = lambda: None,
    ) -> list[Frame]:
        """Return the frames of a batch: the part of `measure` that needs the devices.

        Args:
            inputs: As for `measure`.
            phases_rad: As for `measure`.
            should_stop: Asked before each frame.
            next_batch: Returns inputs and layers of the batch to come, if they are known: its first
                pattern settles while the last frames of this one are read out.

        Raises:
            JobStoppedError: If `should_stop` says yes; and as `measure`.
        """
        self._conversion()
        return self.acquire_raw(inputs, phases_rad, should_stop, next_batch)

    def acquire_raw(
        self, inputs: Arrays, phases_rad: Arrays, should_stop: ShouldStop, next_batch: NextBatch
    ) -> list[Frame]:
        """Return the frames of a batch as `acquire`, also where the calibrations are elsewhere.

        Args:
            inputs: (B, h, w).
            phases_rad: layers, (N, h, w) or (B, N, h, w).
            should_stop: asked between frames; True ends the batch.
            next_batch: returns the batch to come, None if it is not known.
        """
        batch = PatternBatch(inputs, phases_rad)
        return self._acquisition.acquire(batch, should_stop, next_batch)

    def to_intensity(self, frames: list[Frame]) -> Measurement:
        """Return the intensity of a batch's frames: the part of `measure` that needs the computer alone.

        Raises NoLightError for a dark frame.
        """
        conversion = self._conversion()
        if self.on_frames is not None:
            self.on_frames(frames)
        found = conversion.measurement(frames)
        self._check_light(float(found.intensity.mean(axis=(1, 2)).min()))
        return found

    @contextmanager
    def recording(self, log: FrameLog) -> Iterator[RoutineRecording]:
        """Record the frames of the routine that runs while this is entered.

        Those that the log holds already are answered from there, without the devices.
        """
        with self._replay.record(log) as recording:
            self.display.prefetcher.forget()
            if not self._replay.live:
                self.validator.last_sequence = BEFORE_ALL
            yield recording

    @property
    def validator(self) -> FrameValidator:
        """The check of the frames of batches."""
        return self._acquisition.validator

    @property
    def frames_taken(self) -> int:
        """Number of frames that came from the camera in `measure` so far."""
        return self.validator.taken

    @property
    def frames_rejected(self) -> Counter[RejectReason]:
        """Why frames were taken again in `measure`, and how often, so far."""
        return self.validator.rejected

    @property
    def frames_repeated(self) -> int:
        """Number of frames that were taken again in `measure` so far."""
        return self.frames_rejected.total()

    @property
    def most_saturated(self) -> float:
        """Share of saturated pixels beyond which a frame is rejected."""
        return self._acquisition.most_saturated

    @most_saturated.setter
    def most_saturated(self, value: float) -> None:
        self._acquisition.most_saturated = value

    @property
    def declared(self) -> DeclaredTiming:
        """What the devices declare, and how soon one frame can thus follow another."""
        return self._acquisition.declared

    def declared_s(self, inputs: Arrays, phases_rad: Arrays) -> float:
        """Return the least seconds of a batch after another one, by the declared timing."""
        return self.declared.batch_ms(len(inputs), phases_rad.ndim == 4) / 1e3

    def state(self) -> BenchSnapshot | None:
        """Return what `restore` needs; None if the devices cannot be set back, as real ones."""
        devices = self._restorable.state()
        if devices is None:
            return None
        values: Values = {DEVICES + name: value for name, value in devices.items()}
        values |= self.validator.state() | self.fault_log.state() | self.display.state()
        values["counts_per_ms_per_unit"] = self.counts_per_ms_per_unit
        values["packing_step"] = self.packing_step
        if self.rectifier is not None:
            roi = self.rectifier.roi
            values["rectified"] = np.array([roi.top, roi.left, roi.height, roi.width])
        if self.noise is not None:
            values["noise"] = np.array(astuple(self.noise))
        return BenchSnapshot(values, self.dark, self.registration)

    def restore(self, state: BenchSnapshot) -> None:
        """Set the bench back to a state: its next frame is to the bit the one that came after it."""
        values = state.values
        self.dark, self.registration = state.dark, state.registration
        self.use_packing(float(values["packing_step"]))
        self.display.restore(values)
        if "rectified" in values and state.registration is not None:
            roi = Roi(*(int(edge) for edge in np.asarray(values["rectified"])))
            self.rectifier = Rectifier(state.registration, roi, self.layout.patch_shape)
        if "noise" in values:
            self.noise = FrameNoise(*np.asarray(values["noise"]).tolist())
        self.counts_per_ms_per_unit = float(values["counts_per_ms_per_unit"])
        self.validator.restore(values)
        self.fault_log.restore(values)
        self._restorable.restore(of_devices(values))

    def _conversion(self) -> IntensityConversion:
        if self.dark is None or self.rectifier is None:
            raise DeviceStateError("bench: not calibrated; run the calibration before measuring")
        return IntensityConversion(
            self.dark, self.rectifier, self.noise, self.counts_per_ms_per_unit
        )

    def _check_light(self, mean: float) -> None:
        """Raise NoLightError for a dark frame. mean: the darkest frame's, 1 for a flat pattern's."""
        if mean > LEAST_LIGHT:
            return
        raise NoLightError(
            f"{self.camera.name}: hardly any light arrives ({mean:.2g} of a flat pattern's); "
            f"is the beam blocked? {self.laser.name} says that it emits"
        )
