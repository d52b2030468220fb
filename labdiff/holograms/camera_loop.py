"""The camera in the loop: the measured intensity with the twin's gradient, and the twin refined as it goes.

Between two frames the bench is taken for the twin and what the last frames show beyond it,
modelled + (measured - modelled).detach(): the value of the bench, the gradient of the twin.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import torch
from torch import Tensor

from drivers.errors import TooMuchLightError
from labdiff.bench.measurement import Measurement
from labdiff.events import HOLOGRAM_CAMERA_STAGE, HologramFrame, StageStarted
from labdiff.holograms.figures import hologram_figures
from labdiff.holograms.optimiser import HologramOptimiser
from labdiff.holograms.options import HologramOptions
from labdiff.holograms.patches import Fields, HologramPatches
from labdiff.holograms.result import HologramRecord, HologramResult
from labdiff.holograms.target import HologramTarget
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.training.twin_refinement import TwinRefiner
from labdiff.training.twin_window import TwinWindow
from twin.discrepancy import discrepancy
from twin.parameters import WANDERING_PARAMETERS

FILL = 0.5
"""Share of full scale that the brightest pixel is to have, by the twin's prediction."""
DARKER, TRIES = 0.6, 8
"""Factor by which the exposure is made shorter after a saturated frame, and how often at most."""
MOST_LONGER = 4.0
"""Largest factor by which the exposure becomes longer than the calibrated one."""
REMEMBERED = 3
"""Number of frames whose difference from the twin is averaged, and with it the frames' noise."""
CHECK_FRAMES = 4
"""Number of frames that are taken again of the best pattern: the best of many had luck with its noise."""
WINDOW_FRAMES = 16
"""Number of latest frames to which the twin is fitted where it is off."""


class CameraLoop:
    """Improves a hologram by what the camera sees; `result` is the best so far at any time.

    Args:
        calibrated: The bench, its laser on, and its twin, which is refined.
        patches: How phases are displayed.
        optimiser: With the phases that are best on the twin.
        target: What is wanted.
        options: How many frames.
    """

    def __init__(
        self,
        calibrated: CalibratedBench,
        patches: HologramPatches,
        optimiser: HologramOptimiser,
        target: HologramTarget,
        options: HologramOptions,
    ) -> None:
        self._calibrated, self._patches, self._optimiser = calibrated, patches, optimiser
        self._target, self._options = target, options
        window = TwinWindow(WINDOW_FRAMES, False, WANDERING_PARAMETERS)
        self._refiner = TwinRefiner(
            calibrated.twin, calibrated.covariance, WANDERING_PARAMETERS, window=window
        )
        self._seen: deque[tuple[Fields, Tensor]] = deque(maxlen=REMEMBERED)
        self._best: tuple[float, Fields] | None = None
        self.result: HologramResult | None = None

    def job(self) -> Job[HologramResult]:
        """Return the best pattern after all frames; the camera's exposure is put back."""
        camera = self._calibrated.bench.camera
        before_ms = camera.exposure_ms
        frames = self._options.frames
        yield StageStarted(HOLOGRAM_CAMERA_STAGE, frames + 1)
        try:
            self._expose(before_ms)
            for frame in range(frames):
                yield self._frame(frame)
                if frame + 1 < frames:
                    self._improve()
            result = self._checked()
            best = result.history[result.best_frame]
            yield self._event(replace(best, frame=frames, figures=result.figures), True, result)
            return result
        finally:
            camera.exposure_ms = before_ms

    def _expose(self, calibrated_ms: float) -> None:
        """Set an exposure by which the brightest pixel, as the twin has it, is half of full scale."""
        bench = self._calibrated.bench
        with torch.no_grad():
            peak = float(self._patches.intensity(self._optimiser.phases).max())
        room = FILL * (bench.full_scale_counts - self._calibrated.pedestal_counts)
        wanted_ms = room / max(peak * bench.counts_per_ms_per_unit, 1e-12)
        least_ms, most_ms = bench.camera.exposure_range_ms
        most_ms = min(most_ms, MOST_LONGER * calibrated_ms)
        bench.camera.exposure_ms = min(max(wanted_ms, least_ms), most_ms)

    def _measure(self, displayed: Fields) -> Measurement:
        """Return one measurement; where it is saturated, one of a shorter exposure instead."""
        camera = self._calibrated.bench.camera
        for left in reversed(range(TRIES)):
            shorter_ms = max(DARKER * camera.exposure_ms, camera.exposure_range_ms[0])
            last = left == 0 or shorter_ms >= camera.exposure_ms
            try:
                found = self._calibrated.measurement(*displayed)
                if last or not found.saturated_fraction > 0.0:
                    return found
            except TooMuchLightError:
                if last:
                    raise
            camera.exposure_ms = shorter_ms
        return self._calibrated.measurement(*displayed)

    def _frame(self, frame: int) -> HologramFrame:
        """Measure the pattern, keep it if it is the best, and refine the twin."""
        bench, twin = self._calibrated.bench, self._calibrated.twin
        with torch.no_grad():
            displayed = self._patches.displayed(self._optimiser.phases)
            modelled = twin(*displayed)
        found = self._measure(displayed)
        measured = torch.from_numpy(found.intensity)
        valid = None if found.clipped is None else torch.from_numpy(~found.clipped)
        figures = hologram_figures(found.intensity[0], self._target)
        with torch.no_grad():
            objective = float(self._optimiser.objective(measured[0]))
        refined = self._refiner.refine(
            displayed[0],
            displayed[1],
            measured,
            torch.from_numpy(found.noise_floor),
            bench.clock.now_s(),
            valid,
        )
        d = float(discrepancy(measured, modelled, valid)[0])
        exposure_ms = bench.camera.exposure_ms
        record = HologramRecord(frame, figures, objective, d, refined.refined, exposure_ms)
        self._seen.append((displayed, measured[0]))
        earlier = () if self.result is None else self.result.history
        best = self._best is None or objective < self._best[0]
        if self.result is None or best:
            self._best = objective, displayed
            pattern = self._patches.panel(displayed)
            predicted = modelled[0].numpy()
            self.result = HologramResult(
                target=self._target,
                pattern_rad=pattern,
                levels=bench.display.levels(pattern),
                predicted=predicted,
                measured=found.intensity[0],
                predicted_figures=hologram_figures(predicted, self._target),
                figures=figures,
                history=(),
                best_frame=frame,
            )
        self.result = self.result.with_history((*earlier, record))
        return self._event(record, best, self.result, found)

    def _improve(self) -> None:
        """Change the phases by what the last frames show beyond the twin, as it is now."""
        beyond = torch.zeros(self._patches.shape[1:])
        with torch.no_grad():
            for displayed, measured in self._seen:
                modelled = self._calibrated.twin(*displayed)[0]
                # The laser's power is no property of the pattern.
                scale = (modelled * measured).sum() / measured.square().sum()
                beyond += (scale * measured - modelled) / len(self._seen)
        self._optimiser.settle(
            lambda phases: self._patches.intensity(phases) + beyond, self._options.steps_per_frame
        )

    def _checked(self) -> HologramResult:
        """Measure the best pattern again; return the result with the mean of these frames."""
        if self.result is None or self._best is None:
            raise ValueError("a hologram without frames has no result")
        displayed = self._best[1]
        frames = [self._measure(displayed).intensity[0] for _ in range(CHECK_FRAMES)]
        mean = sum(frames[1:], frames[0]) / len(frames)
        with torch.no_grad():
            predicted = self._calibrated.twin(*displayed)[0].numpy()
        self.result = replace(
            self.result,
            measured=mean,
            figures=hologram_figures(mean, self._target),
            predicted=predicted,
            predicted_figures=hologram_figures(predicted, self._target),
            checked_frames=len(frames),
            outcome="completed",
        )
        return self.result

    def _event(
        self,
        record: HologramRecord,
        best: bool,
        result: HologramResult,
        found: Measurement | None = None,
    ) -> HologramFrame:
        figures = record.figures
        return HologramFrame(
            record.frame,
            self._options.frames + 1,
            figures.psnr_db,
            figures.efficiency,
            None if self._target.spots is None else figures.uniformity,
            best,
            result.measured if found is None else found.intensity[0],
        )
