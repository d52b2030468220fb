"""A hologram as a job on a bench: stored calibrations, the twin, then the camera in the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from calibration.archive import CalibrationArchive
from labdiff.bench.bench import Bench
from labdiff.bench.origin import archive_folder
from labdiff.calibrations.routines import NEEDED
from labdiff.config.bench import BenchFile, read_bench_file
from labdiff.config.simulated import simulated_devices
from labdiff.errors import UserError
from labdiff.events import HOLOGRAM_STAGE, HologramStep, JobStarted, StageStarted
from labdiff.holograms.camera_loop import CameraLoop
from labdiff.holograms.figures import correlation
from labdiff.holograms.objective import objective_of
from labdiff.holograms.optimiser import HologramOptimiser, random_start
from labdiff.holograms.options import HologramOptions
from labdiff.holograms.patches import HologramPatches
from labdiff.holograms.result import HologramResult
from labdiff.holograms.target import Wanted, region_of, target_of
from labdiff.job import Job
from labdiff.jobs.calibrator import calibrator
from labdiff.jobs.job_bench import JobBench
from labdiff.session.calibrated_bench import CalibratedBench

SPREAD_RAD = 0.1
"""Deviation of the first phases from rest."""
PICTURE_EVERY = 10
"""Number of steps between two pictures of what the twin predicts."""


@dataclass(frozen=True, slots=True)
class HologramRequest:
    """What a hologram is asked for.

    wanted: An image file, an array of intensities, or spots. bench: name of a shipped bench, path, or a
    bench file that was read. seed: of the start, and of a mock laboratory. region: (top, left, height,
    width) in plane pixels; None for the middle of the plane. calibrations: folder of the stored
    calibrations; None for the bench's own.
    """

    wanted: Wanted
    bench: str | BenchFile = "mock"
    seed: int = 0
    region: tuple[int, ...] | None = None
    options: HologramOptions = field(default_factory=HologramOptions)
    calibrations: Path | None = None


class CameraHologramJob:
    """A hologram with its bench, ready for `run`; `result` is the best so far at any time.

    Raises UserError for a user's mistake, before a device is opened.

    Args:
        request: what is asked for.
        bench: one that is open already, of this bench file, and stays so; else one is opened and closed.
    """

    def __init__(self, request: HologramRequest, bench: Bench | None = None) -> None:
        self.request = request
        request.options.check()
        file = read_bench_file(request.bench)
        self.config, self._text = file.config, file.text
        shape = self.config.cavity.patch_shape
        self.target = target_of(request.wanted, shape, region_of(request.region, shape))
        mock = self.config.camera.driver == "mock"
        self._folder = request.calibrations or archive_folder(file.source, mock, request.seed)
        command = f"{file.source} --seed {request.seed}" if mock and request.seed else file.source
        _require_stored(CalibrationArchive(self._folder), command)
        self._bench = JobBench.open(self.config, request.seed, bench, "hologram")
        self._loop: CameraLoop | None = None
        with self._bench.preparing() as opened:
            self.calibrated = CalibratedBench(self.config, opened)

    @property
    def result(self) -> HologramResult | None:
        """The best so far; None before the first frame."""
        return None if self._loop is None else self._loop.result

    @property
    def simulated(self) -> str:
        """What of the bench is simulated, in one sentence; "" if nothing is."""
        return simulated_devices(self.config)

    def job(self) -> Job[HologramResult]:
        """Make the hologram; the end, by whatever way, leaves the bench safe."""
        options, calibrated = self.request.options, self.calibrated
        with self._bench.lit():
            yield JobStarted("hologram", options.steps + options.frames)
            how = calibrator(calibrated, self._folder, self._text)
            yield from how.bring_up_to_date()
            patches = HologramPatches(calibrated, options.flat_input)
            optimiser = yield from self._on_twin(patches)
            self._loop = CameraLoop(calibrated, patches, optimiser, self.target, options)
            return (yield from self._loop.job())

    def _on_twin(self, patches: HologramPatches) -> Job[HologramOptimiser]:
        """Return the optimiser with phases that are good on the twin."""
        options, target = self.request.options, self.target
        start = patches.start(random_start(patches.shape, SPREAD_RAD, self.request.seed))
        optimiser = HologramOptimiser(
            start,
            objective_of(target, final=False),
            options.steps,
            options.rate_rad,
            options.smoothness,
        )
        yield StageStarted(HOLOGRAM_STAGE, options.steps)
        wanted = torch.from_numpy(target.image)
        for step in range(options.steps):
            seen = optimiser.step(patches.intensity)
            shown = step % PICTURE_EVERY == 0 or step + 1 == options.steps
            yield HologramStep(
                step,
                options.steps,
                correlation(seen, wanted),
                seen.numpy().copy() if shown else None,
            )
        optimiser.objective = objective_of(target)
        optimiser.settle(patches.intensity, options.steps_per_frame)
        return optimiser


def _require_stored(archive: CalibrationArchive, bench: str) -> None:
    """Raise UserError if calibrations are missing without which the twin is not that of the bench.

    Args:
        archive: of the bench.
        bench: what `labdiff calibrate` is given to measure them.
    """
    missing = [name for name in NEEDED if archive.latest(name) is None]
    if missing:
        raise UserError(
            f"{archive.folder}: hologram: {', '.join(missing)}: not calibrated yet, or only with a result "
            f"that failed; run 'labdiff calibrate {bench}' first"
        )
