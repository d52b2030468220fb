"""The bench: what is done with its calibrated devices, above all `measure`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from calibration.layout import PatchLayout
from drivers.errors import NoLightError
from drivers.types import Frame
from labdiff.bench.batch import Arrays, NextBatch, PatternBatch, ShouldStop
from labdiff.bench.batch_acquisition import BatchAcquisition
from labdiff.bench.bench_safety import BenchSafety
from labdiff.bench.calibrated_devices import CalibratedDevices
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.frame_log import FrameLog
from labdiff.bench.frame_replay import FrameReplay, RoutineRecording
from labdiff.bench.frame_validation import FrameValidator, RejectReason
from labdiff.bench.guard_laser import UNGUARDED, LaserGuard
from labdiff.bench.measurement import Measurement
from labdiff.bench.recorded_devices import BEFORE_ALL
from labdiff.bench.snapshot import (
    DEVICES,
    BenchSnapshot,
    NotRestorable,
    Restorable,
    Values,
    of_devices,
)
from labdiff.bench.timing import DeclaredTiming
from labdiff.errors import JobStoppedError

MOST_SATURATED = 0.2
"""Share of a frame's light that may fall on saturated pixels, unless the bench file gives another."""
LEAST_LIGHT = 0.01
"""Mean of a frame below which no light arrives: no trained layers send 99 % of it past the camera."""
REAL_DEVICES = NotRestorable()


class Bench(CalibratedDevices):
    """Devices, the calibrations in use, and what is done with them.

    A context manager: entering switches the laser on; leaving, by whatever way, switches it off, displays
    a flat pattern and closes the devices.

    on_frames: called with the frames of each batch, as by a live view. guard: what guards the laser; it is
    released when the bench is closed.
    """

    def __init__(
        self,
        layout: PatchLayout,
        devices: BenchDevices,
        fault_log: FaultLog | None = None,
        most_saturated: float = MOST_SATURATED,
        restorable: Restorable = REAL_DEVICES,
        guard: LaserGuard = UNGUARDED,
    ) -> None:
        self._replay = FrameReplay(devices)
        super().__init__(layout, self._replay.devices, fault_log or FaultLog())
        self.on_frames: Callable[[list[Frame]], None] | None = None
        self._acquisition = BatchAcquisition(
            layout, self._devices, self.display, self.fault_log, most_saturated
        )
        self._safety = BenchSafety(self._devices, self.display.flatten, guard)
        self._guard = guard
        self._restorable = restorable
        self._released_last = ExitStack()

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

    def hold_dark(self) -> None:
        """Send OFF to the laser at once, from any thread, and let no job switch it on until `release`."""
        self._safety.hold_dark()

    def release(self) -> None:
        """Let the laser be switched on again after `hold_dark`."""
        self._safety.release()

    def close(self) -> None:
        """Enter the safe state and close every device, whatever fails; then others may own them."""
        with self._released_last:
            self._safety.close()

    def release_with(self, owners: ExitStack) -> None:
        """Close what owns the devices after them."""
        self._released_last = owners

    @property
    def left_unsafe(self) -> list[str]:
        """What the last way into the safe state could not do, one line each."""
        return self._safety.left_unsafe

    @property
    def unguarded(self) -> str:
        """The warning that nothing guards the laser; "" if none is due."""
        return self._guard.warning

    def report_in(self, folder: Path) -> None:
        """Let the laser's guardian report in a folder too, as beside the run that the bench is used for."""
        if self._guard.line is not None:
            self._guard.line.report_in(folder)

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
        self.conversion()
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
        conversion = self.conversion()
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
        """Share of the light on saturated pixels beyond which a frame is rejected."""
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
        values |= self.validator.state() | self.fault_log.state() | self.calibration_values()
        return BenchSnapshot(values, self.dark, self.registration)

    def restore(self, state: BenchSnapshot) -> None:
        """Set the bench back to a state: its next frame is to the bit the one that came after it."""
        self.restore_calibrations(state)
        self.validator.restore(state.values)
        self.fault_log.restore(state.values)
        self._restorable.restore(of_devices(state.values))

    def _check_light(self, mean: float) -> None:
        """Raise NoLightError for a dark frame, JobStoppedError if the laser was switched off on purpose.

        mean: the darkest frame's, 1 for a flat pattern's.
        """
        if mean > LEAST_LIGHT:
            return
        if self._safety.switched_off:
            raise JobStoppedError("the laser was switched off")
        raise NoLightError(
            f"{self.camera.name}: hardly any light arrives ({mean:.2g} of a flat pattern's); "
            f"is the beam blocked? {self.laser.name} says that it emits"
        )
