"""The bench: the devices under one roof, and the one physical act, `measure`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from types import TracebackType
from typing import cast

import numpy as np
import numpy.typing as npt

from calibration.dark import DarkLevel
from calibration.frame_noise import FrameNoise
from calibration.layout import PatchLayout
from calibration.packing import RightJustified, packing_step
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.settling import SettlingFound
from drivers.errors import (
    DeviceDisconnectedError,
    DeviceStateError,
    DeviceTimeoutError,
    NoLightError,
)
from drivers.phase_quantiser import PhaseQuantiser
from drivers.protocols import SLM, Camera, Device, InputModulator, Laser, SequenceModulator
from drivers.types import Frame, Roi
from labdiff.bench.acquisition import CutShort, Exposures, Written, sequential, triggered_burst
from labdiff.bench.clock import Clock
from labdiff.bench.fault_log import FaultLog
from labdiff.bench.frame_validation import FrameValidator, RejectReason
from labdiff.bench.measurement import FloatImages, Measurement
from labdiff.bench.pattern_prefetch import PatternPrefetcher
from labdiff.bench.snapshot import (
    DEVICES,
    BenchSnapshot,
    CombinedState,
    Restorable,
    Values,
    of_devices,
)
from labdiff.bench.timing import DeclaredTiming

log = logging.getLogger(__name__)

Following = Callable[[], tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None]
"""Inputs and layers of the batch that comes next; None if there is none, or none known yet."""
MAX_RETRIES = 3
LEFT_UNSETTLED = 5e-4
"""Share of a step that may be left when the bench goes on: an eighth of a grey level of 2 pi."""
MOST_SATURATED = 0.05
"""Share of a frame's pixels, unless the bench file says another."""
LEAST_LIGHT = 0.01
"""Layers that send 99 % of the light past the camera would be a strange thing to have learnt."""


class Bench:
    """Devices, and the calibrations that give their numbers a meaning.

    A context manager: opening switches the laser on; leaving, by whatever way, switches it off, shows
    a flat pattern and closes the devices in reverse order.

    troubles: what went wrong with the devices and was mended. most_saturated: share of saturated pixels
    beyond which a frame is not used. left_unsafe: what closing could not do, in words.
    """

    def __init__(
        self,
        layout: PatchLayout,
        slm: SLM,
        camera: Camera,
        laser: Laser,
        clock: Clock,
        dmd: InputModulator | None = None,
        frames_name_patterns: bool = False,
        troubles: FaultLog | None = None,
        most_saturated: float = MOST_SATURATED,
        simulation: CombinedState | None = None,
    ) -> None:
        self.layout = layout
        self.slm, self.camera, self.laser, self.clock, self.dmd = slm, camera, laser, clock, dmd
        self.troubles = troubles or FaultLog()
        self.most_saturated = most_saturated
        self.left_unsafe: list[str] = []
        self.dark: DarkLevel | None = None
        self.noise: FrameNoise | None = None
        self.registration: Registration | None = None
        self.rectifier: Rectifier | None = None
        self.phase_by_grey_rad: npt.NDArray[np.float64] | None = None
        self.counts_per_ms_per_unit = 1.0
        # Whoever likes to see the frames of each batch, such as a live view.
        self.on_frames: Callable[[list[Frame]], None] | None = None
        self.proof = FrameValidator(camera.name, frames_name_patterns, self.troubles)
        self.panels = PatternPrefetcher(
            slm, clock, lambda: self.settle_ms, lambda: self.troubles.reopened
        )
        self._settle_ms: float | None = None
        self._quantiser = PhaseQuantiser(slm.bit_depth)
        self._simulation = simulation

    @property
    def laboratory(self) -> Restorable | None:
        """The mock laboratory behind the devices, for tests and benchmarks; None on a real bench."""
        return None if self._simulation is None else self._simulation.laboratory

    @property
    def planes(self) -> int:
        """Number of SLM patches: the layers, and one more if a patch writes the input."""
        return len(self.layout.lefts)

    @property
    def frames_taken(self) -> int:
        """Frames that came from the camera in `measure`, so far."""
        return self.proof.taken

    @property
    def flaws(self) -> Counter[RejectReason]:
        """Why frames were taken again in `measure`, and how often, so far."""
        return self.proof.flaws

    @property
    def frames_repeated(self) -> int:
        """All of them."""
        return self.flaws.total()

    def __enter__(self) -> Bench:
        try:
            self.wake()
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
        self.close()

    @contextmanager
    def lent(self) -> Iterator[Bench]:
        """For one job on a bench that stays open: laser on; at the end, by whatever way, off again.

        The SLM is then flat, and the devices are the bench's own again: a job may have put something
        between itself and them.
        """
        own = self.slm, self.camera, self.clock, self.dmd
        try:
            self.wake()
            yield self
        finally:
            self.slm, self.camera, self.clock, self.dmd = own
            self.rest()

    def rest(self) -> None:
        """Laser off, SLM flat; a device that fails does not keep the other from it."""
        self.left_unsafe.clear()
        self._each([("switch the laser off", self._laser_off), ("flatten the SLM", self.flatten)])

    def close(self) -> None:
        """Laser off, SLM flat, everything closed; a device that fails does not keep the others on.

        Nor does an interruption, which goes on when everything was tried.
        """
        try:
            self.rest()
        finally:
            self._close_devices()

    def _close_devices(self) -> None:
        devices: list[Device] = [d for d in (self.camera, self.dmd, self.slm, self.laser) if d]
        self._each([(f"close {device.name}", device.close) for device in devices])

    def wake(self) -> None:
        """Laser on, and wait until its light may be relied on."""
        self.laser.emission = True
        self.clock.sleep_s(self.laser.timing.total_ms / 1e3)

    def _each(self, steps: list[tuple[str, Callable[[], object]]]) -> None:
        interruption: BaseException | None = None
        for what, act in steps:
            try:
                act()
            except DeviceStateError:
                continue  # closed already: nothing is left to make safe
            except Exception as error:
                log.error("could not %s: %s", what, error)
                self.left_unsafe.append(f"could not {what}: {error}")
            except BaseException as error:
                interruption = error
                act()
        if interruption is not None:
            raise interruption

    def state(self) -> BenchSnapshot | None:
        """What `restore` needs; None if the devices cannot be put back, as real ones."""
        devices = None if self._simulation is None else self._simulation.state()
        if devices is None:
            return None
        values: Values = {DEVICES + name: value for name, value in devices.items()}
        values |= self.proof.state()
        values["counts_per_ms_per_unit"] = self.counts_per_ms_per_unit
        values["packing_step"] = self.packing_step
        values |= self.troubles.state()
        if self._settle_ms is not None:
            values["settle_ms"] = self._settle_ms
        if self.phase_by_grey_rad is not None:
            values["phase_by_grey_rad"] = self.phase_by_grey_rad
        if self.rectifier is not None:
            roi = self.rectifier.roi
            values["rectified"] = np.array([roi.top, roi.left, roi.height, roi.width])
        if self.noise is not None:
            values["noise"] = np.array(astuple(self.noise))
        return BenchSnapshot(values, self.dark, self.registration)

    def restore(self, state: BenchSnapshot) -> None:
        """Be as the bench was that said so: its next answer is to the bit the one it would have been."""
        assert self._simulation is not None
        values = state.values
        self.dark, self.registration = state.dark, state.registration
        self.use_packing(float(values["packing_step"]))
        if "phase_by_grey_rad" in values:
            self.use_phase_response(np.asarray(values["phase_by_grey_rad"]))
        if "rectified" in values and state.registration is not None:
            roi = Roi(*(int(edge) for edge in np.asarray(values["rectified"])))
            self.rectifier = Rectifier(state.registration, roi, self.layout.patch_shape)
        if "noise" in values:
            self.noise = FrameNoise(*np.asarray(values["noise"]).tolist())
        self._settle_ms = float(values["settle_ms"]) if "settle_ms" in values else None
        self.counts_per_ms_per_unit = float(values["counts_per_ms_per_unit"])
        self.proof.restore(values)
        self.troubles.restore(values)
        self._simulation.restore(of_devices(values))

    def show(self, phases_rad: npt.NDArray[np.floating]) -> None:
        """Put patches (P, h, w) on the SLM and wait until it has settled.

        An SLM that reports another pattern afterwards is written again, at most three times.
        Raises DeviceTimeoutError if it goes on so.
        """
        panel = self.layout.panel(phases_rad)
        for _ in range(1 + MAX_RETRIES):
            pattern = self.slm.set_phase(panel)
            self.settle()
            shown = self.slm.shown
            if shown is None or shown == pattern:
                return
        raise DeviceTimeoutError(
            f"{self.slm.name}: written {1 + MAX_RETRIES} times, the panel still shows pattern {shown} "
            f"and not {pattern}; check that the SLM is not frozen, its video signal and its timing"
        )

    @property
    def whole_sensor(self) -> Roi:
        """The camera's largest window."""
        return Roi(0, 0, *self.camera.shape)

    @property
    def packing_step(self) -> int:
        """Steps in which the camera's own counts come; the bench counts in ones."""
        return self.camera.step if isinstance(self.camera, RightJustified) else 1

    def use_packing(self, step: float) -> None:
        """Count in ones where the camera counts in steps."""
        real = self.camera.real if isinstance(self.camera, RightJustified) else self.camera
        self.camera = RightJustified(real, int(step)) if step > 1 else real

    def find_packing(self) -> None:
        """Take one frame and see in what steps it counts."""
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

    def use_phase_response(self, phase_by_grey_rad: npt.NDArray[np.floating]) -> None:
        """Let the SLM's driver choose grey levels by the measured phase response."""
        self.slm.set_lut(phase_by_grey_rad)
        self._quantiser = PhaseQuantiser(self.slm.bit_depth, phase_by_grey_rad)
        self.phase_by_grey_rad = np.asarray(phase_by_grey_rad, np.float64)

    def realised(self, phases_rad: npt.NDArray[np.floating]) -> FloatImages:
        """The phases that the SLM really shows for these, as far as its phase response is known.

        A grey level is a step of 0.025 rad; over five planes that is 3 % of the light.
        """
        return self._quantiser.realised(phases_rad)

    def use_settling(self, found: SettlingFound) -> None:
        """Let `settle` wait as long as was measured; what failed leaves it as it was."""
        if found.verdict.level != "fail":
            self._settle_ms = found.wait_ms(LEFT_UNSETTLED)

    @property
    def settle_ms(self) -> float:
        """How long a pattern takes to stand: as measured, else as the SLM declares."""
        return self.slm.timing.total_ms if self._settle_ms is None else self._settle_ms

    @settle_ms.setter
    def settle_ms(self, value: float | None) -> None:
        """None: as the SLM declares."""
        self._settle_ms = value

    def settle(self) -> None:
        """Wait until a new pattern stands, by `settle_ms`."""
        self.clock.sleep_s(self.settle_ms / 1e3)

    def measure(
        self, inputs: npt.NDArray[np.floating], phases_rad: npt.NDArray[np.floating]
    ) -> Measurement:
        """Send inputs (B, h, w) through layers and return what the camera saw.

        Inputs are radians for an SLM patch, amplitude for a DMD. Layers: (N, h, w) for the whole batch,
        or (B, N, h, w), which on a bench with a DMD is an update of the SLM for each image. A frame that
        is not proven to belong to its pattern, or is saturated, is taken again, at most three times; so
        is a batch during which a device had gone and was opened again.
        Raises DeviceStateError before the bench is calibrated, DeviceError when a device fails,
        NoLightError when no light arrives, TooMuchLightError when too much does.
        """
        return self.light_of(self.take(inputs, phases_rad))

    def take(
        self,
        inputs: npt.NDArray[np.floating],
        phases_rad: npt.NDArray[np.floating],
        cut_short: CutShort = lambda: False,
        following: Following = lambda: None,
    ) -> list[Frame]:
        """The half of `measure` that needs the devices: the frames of a batch, proven to be its own.

        cut_short: asked before each frame. following: inputs and layers of the batch to come, if they
        are known: its first pattern settles while the last frames of this one are read out and looked at.
        Raises JobStoppedError if cut_short says yes, and as `measure`.
        """
        if self.dark is None or self.rectifier is None:
            raise DeviceStateError("bench: not calibrated; run the calibration before measuring")
        return self.proven(inputs, phases_rad, cut_short, following)

    def proven(
        self,
        inputs: npt.NDArray[np.floating],
        phases_rad: npt.NDArray[np.floating],
        cut_short: CutShort,
        following: Following,
    ) -> list[Frame]:
        """`take` on a bench whose calibrations are elsewhere.

        A batch during which a device had gone and was opened again is taken once more.
        """
        for _ in range(1 + MAX_RETRIES):
            reopened = self.troubles.reopened
            frames: list[Frame] = []
            try:
                frames = self._frames_of(inputs, phases_rad, cut_short, following)
            except DeviceTimeoutError:
                # The camera says it, and the reason may be another device's.
                self._ask_who_was_silent()
                if self.troubles.reopened == reopened:
                    raise
            else:
                self._ask_who_was_silent()
            if self.troubles.reopened == reopened:
                return frames
        raise DeviceDisconnectedError(
            f"bench: devices came and went in {1 + MAX_RETRIES} measurements in a row "
            f"({self.troubles.words()}); check cables and power"
        )

    def _frames_of(
        self,
        inputs: npt.NDArray[np.floating],
        phases_rad: npt.NDArray[np.floating],
        cut_short: CutShort,
        following: Following,
    ) -> list[Frame]:
        each = phases_rad.ndim == 4
        if self.dmd is not None and not each:
            self.show(phases_rad)

        def expose(places: list[int]) -> Exposures:
            return self._exposing(inputs, phases_rad, places, cut_short, following)

        return self.proof.of_batch(len(inputs), expose, self.most_saturated)

    @property
    def declared(self) -> DeclaredTiming:
        """What the devices declare, and how soon one frame can thus follow another."""
        # hasattr and not isinstance, which does not look through a wrapper.
        triggered = hasattr(self.dmd, "show_sequence") and self.camera.has_trigger_input
        dmd = None if self.dmd is None else self.dmd.timing
        return DeclaredTiming(self.settle_ms, self.camera.timing, dmd, triggered)

    def declared_s(
        self, inputs: npt.NDArray[np.floating], phases_rad: npt.NDArray[np.floating]
    ) -> float:
        """Seconds that a batch takes at the least, after another one, by the declared timing."""
        return self.declared.batch_ms(len(inputs), phases_rad.ndim == 4) / 1e3

    def light_of(self, frames: list[Frame]) -> Measurement:
        """The other half of `measure`, which needs the computer alone: counts become intensity.

        Raises NoLightError for a dark frame.
        """
        assert self.dark is not None and self.rectifier is not None, "frames were taken"
        counts = np.stack([frame.pixels for frame in frames]).astype(np.float32)
        saturated = max((frame.saturated_fraction for frame in frames), default=0.0)
        if self.on_frames is not None:
            self.on_frames(frames)
        counts -= self.dark.pedestal_counts
        self.dark.mend(counts, frames[0].roi)
        scale = 1.0 / (self.counts_per_ms_per_unit * frames[0].exposure_ms)
        plane = self.rectifier(counts)
        floor = np.full(len(plane), np.nan)
        if self.noise is not None:
            floor = self.noise.discrepancy(plane, self.rectifier)
        intensity = (plane * scale).astype(np.float32)
        self._check_light(float(intensity.mean(axis=(1, 2)).min()))
        return Measurement(intensity, saturated, floor)

    def _exposing(
        self,
        inputs: npt.NDArray[np.floating],
        phases_rad: npt.NDArray[np.floating],
        places: list[int],
        cut_short: CutShort,
        following: Following,
    ) -> Exposures:
        """The exposures of some inputs of a batch, as close as the devices allow."""
        camera, clock, dmd, each = self.camera, self.clock, self.dmd, phases_rad.ndim == 4
        if dmd is None:

            def write(place: int) -> Written:
                return self.panels.write(self._panel_of(place, inputs, phases_rad))

            def write_ahead() -> None:
                if (batch := following()) is not None:
                    self.panels.write_ahead(self._panel_of(0, *batch))

            return sequential(camera, clock, write, places, cut_short, write_ahead)
        declared = self.declared
        if declared.triggered and not each:
            player = cast(SequenceModulator, dmd)
            fields = inputs[places]
            return triggered_burst(
                camera, clock, player, fields, declared.frame_ms, places, cut_short
            )

        def show(place: int) -> Written:
            if each:
                self.show(phases_rad[place])
            pattern = dmd.show(inputs[place])
            return Written(pattern, clock.now_s() + dmd.timing.total_ms / 1e3)

        return sequential(camera, clock, show, places, cut_short)

    def _panel_of(
        self,
        place: int,
        inputs: npt.NDArray[np.floating],
        phases_rad: npt.NDArray[np.floating],
    ) -> FloatImages:
        """What the SLM shows for one input of a batch, (height, width)."""
        layers = phases_rad[place] if phases_rad.ndim == 4 else phases_rad
        return self.layout.panel(np.concatenate([inputs[place][None], layers]))

    def _ask_who_was_silent(self) -> None:
        """Devices that nothing was asked of during a batch tell only now that they had gone.

        Raises NoLightError if the laser has gone off meanwhile, whatever the frames look like.
        """
        _ = self.slm.shown
        if not self.laser.emission:
            raise NoLightError(
                f"{self.laser.name}: the emission has gone off; check interlock and key switch"
            )

    def _check_light(self, mean: float) -> None:
        """A dark frame is no measurement. `mean`: the darkest frame's, 1 for a flat pattern's."""
        if mean > LEAST_LIGHT:
            return
        raise NoLightError(
            f"{self.camera.name}: hardly any light arrives ({mean:.2g} of a flat pattern's); "
            f"is the beam blocked? {self.laser.name} says that it emits"
        )

    def _laser_off(self) -> None:
        self.laser.emission = False

    def flatten(self) -> None:
        """Show a flat pattern on the whole SLM."""
        self.slm.set_phase(np.zeros(self.slm.shape, np.float32))
