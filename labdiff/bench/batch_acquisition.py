"""Acquire the frames of a batch, each of its own pattern, whatever passes in between."""

from __future__ import annotations

from calibration.layout import PatchLayout
from drivers.errors import DeviceDisconnectedError, DeviceTimeoutError, NoLightError
from drivers.protocols import InputModulator
from drivers.types import Frame
from labdiff.bench.acquisition import (
    DisplayedPattern,
    Exposures,
    FieldSequence,
    sequential,
    triggered_burst,
)
from labdiff.bench.batch import NextBatch, PatternBatch, ShouldStop
from labdiff.bench.devices import BenchDevices
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.frame_validation import FrameValidator
from labdiff.bench.slm_display import SlmDisplay
from labdiff.bench.timing import DeclaredTiming

MAX_REPEATS = 3
"""Number of times that a batch is measured again during which a device was lost."""


class BatchAcquisition:
    """Exposes the patterns of a batch on the devices of a bench.

    validator: checks the frames. most_saturated: share of the light on saturated pixels beyond which a
    frame is rejected.
    """

    def __init__(
        self,
        layout: PatchLayout,
        devices: BenchDevices,
        display: SlmDisplay,
        fault_log: FaultLog,
        most_saturated: float,
    ) -> None:
        self._layout, self._devices, self._display = layout, devices, display
        self._fault_log = fault_log
        self.most_saturated = most_saturated
        self.validator = FrameValidator(
            devices.camera.name, devices.frames_name_patterns, fault_log
        )

    @property
    def declared(self) -> DeclaredTiming:
        """What the devices declare, and how soon one frame can thus follow another."""
        camera, dmd = self._devices.camera, self._devices.dmd
        return DeclaredTiming(
            self._display.settle_ms,
            camera.timing,
            None if dmd is None else dmd.timing,
            dmd is not None and dmd.has_trigger_output and camera.has_trigger_input,
        )

    def acquire(
        self, batch: PatternBatch, should_stop: ShouldStop, next_batch: NextBatch
    ) -> list[Frame]:
        """Return the frames of a batch, in the order of its inputs.

        A batch during which a device was lost and reopened is measured once more, at most three times.

        Args:
            batch: Inputs and layers.
            should_stop: Asked before each frame.
            next_batch: Asked when the last exposure has ended: the first pattern of the batch to come
                settles while the last frames of this one are read out.

        Raises:
            JobStoppedError: If `should_stop` says yes.
            DeviceError: If a device fails; NoLightError if the laser has gone off.
        """
        for _ in range(1 + MAX_REPEATS):
            reopened = self._fault_log.reopened
            frames: list[Frame] = []
            try:
                frames = self._frames(batch, should_stop, next_batch)
            except DeviceTimeoutError:
                # The camera raises it, and the cause may be another device.
                self._check_silent_devices()
                if self._fault_log.reopened == reopened:
                    raise
            else:
                self._check_silent_devices()
            if self._fault_log.reopened == reopened:
                return frames
        raise DeviceDisconnectedError(
            f"bench: devices came and went in {1 + MAX_REPEATS} measurements in a row "
            f"({self._fault_log.summary()}); check cables and power"
        )

    def _frames(
        self, batch: PatternBatch, should_stop: ShouldStop, next_batch: NextBatch
    ) -> list[Frame]:
        if self._devices.dmd is not None and not batch.layers_differ:
            self._display.show(batch.phases_rad)

        def expose(indices: list[int]) -> Exposures:
            return self._exposures(batch, indices, should_stop, next_batch)

        return self.validator.frames_of_batch(len(batch), expose, self.most_saturated)

    def _exposures(
        self,
        batch: PatternBatch,
        indices: list[int],
        should_stop: ShouldStop,
        next_batch: NextBatch,
    ) -> Exposures:
        """Expose some inputs of a batch, as close as the devices allow."""
        camera, clock, dmd = self._devices.camera, self._devices.clock, self._devices.dmd
        if dmd is None:
            return self._by_slm(batch, indices, should_stop, next_batch)
        declared = self.declared
        if declared.triggered and not batch.layers_differ:
            sequence = FieldSequence(dmd, batch.inputs[indices], declared.frame_ms, indices)
            return triggered_burst(camera, clock, sequence, should_stop)
        return self._by_dmd(dmd, batch, indices, should_stop)

    def _by_slm(
        self,
        batch: PatternBatch,
        indices: list[int],
        should_stop: ShouldStop,
        next_batch: NextBatch,
    ) -> Exposures:
        """Expose inputs that the SLM writes, each on a panel with its layers."""
        prefetcher, layout = self._display.prefetcher, self._layout

        def display(index: int) -> DisplayedPattern:
            return prefetcher.display(batch.panel(index, layout))

        def prefetch() -> None:
            if (coming := next_batch()) is not None:
                prefetcher.prefetch(PatternBatch(*coming).panel(0, layout))

        devices = self._devices
        return sequential(devices.camera, devices.clock, display, indices, should_stop, prefetch)

    def _by_dmd(
        self, dmd: InputModulator, batch: PatternBatch, indices: list[int], should_stop: ShouldStop
    ) -> Exposures:
        """Expose inputs that the DMD writes one by one; the SLM is written for each if layers differ."""
        clock = self._devices.clock

        def display(index: int) -> DisplayedPattern:
            if batch.layers_differ:
                self._display.show(batch.layers(index))
            pattern = dmd.show(batch.inputs[index])
            return DisplayedPattern(pattern, clock.now_s() + dmd.timing.total_ms / 1e3)

        return sequential(self._devices.camera, clock, display, indices, should_stop)

    def _check_silent_devices(self) -> None:
        """Ask devices that were not used during a batch: only then it shows that they were lost.

        Raises NoLightError if the laser has gone off meanwhile, whatever the frames look like.
        """
        _ = self._devices.slm.reported_pattern
        laser = self._devices.laser
        if not laser.emission:
            raise NoLightError(
                f"{laser.name}: the emission has gone off; check interlock and key switch"
            )
