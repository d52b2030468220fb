"""A hologram as a job: layers by whose light the twin sees an image, computed and then displayed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive
from calibration.phase_response import PhaseResponse
from drivers.types import Roi
from labdiff.bench.bench import Bench
from labdiff.config.bench import BenchConfig
from labdiff.errors import UserError
from labdiff.events import HOLOGRAM_STAGE, HologramDisplayed, HologramStep, StageStarted
from labdiff.holograms.figures import correlation
from labdiff.holograms.objective import picture_objective
from labdiff.holograms.optimiser import HologramOptimiser, random_start
from labdiff.job import Job
from labdiff.session.models import build_twin
from twin.denoising_unit import REST_RAD
from twin.digital_twin import DigitalTwin
from twin.parameter_vector import load_parameter_vector, value_names

RATE_RAD = 0.1
"""Learning rate of the first step."""
SPREAD_RAD = 0.1
"""Deviation of the first phases from rest, without which all layers would stay alike."""
PICTURE_EVERY = 10
"""Number of steps between two pictures of what the twin sees."""


class HologramJob:
    """Optimises the layers for an image on the output plane; the camera and the laser are not used.

    The twin has the alignment that is archived, and its tilts are undone on the SLM as in a training;
    without one it has the values of the data sheets. The SLM gets the archived phase response.

    Args:
        config: the bench file.
        bench: the open bench.
        archive: its calibrations.
        target: (h, w) of a patch, wanted intensity, 0 ... 1.
        steps: of the optimisation.

    Raises:
        UserError: For a target of another shape, or one without light.
    """

    def __init__(
        self,
        config: BenchConfig,
        bench: Bench,
        archive: CalibrationArchive,
        target: npt.NDArray[np.float32],
        steps: int,
    ) -> None:
        if target.shape != config.cavity.patch_shape:
            raise UserError(
                f"hologram: an image of {target.shape[0]} x {target.shape[1]} pixels; a patch has "
                f"{config.cavity.patch_shape[0]} x {config.cavity.patch_shape[1]}"
            )
        if not (np.isfinite(target).all() and target.min() >= 0.0 and target.max() > 0.0):
            raise UserError("hologram: needs an image of numbers from 0 on, and some light in it")
        self._config, self._bench, self._steps = config, bench, steps
        self._target = torch.from_numpy(np.array(target, np.float32))
        self.twin, self.aligned = _aligned_twin(config, archive)
        self._response = _phase_response(archive)

    def job(self) -> Job[npt.NDArray[np.float32]]:
        """Return the patches (P, h, w), rad, that are displayed then; the laser stays as it is."""
        yield StageStarted(HOLOGRAM_STAGE, self._steps)
        twin, target = self.twin, self._target
        on_dmd = self._config.input.kind == "dmd"
        shape = self._config.cavity.patch_shape
        # The twin sees what is displayed: tilts that it has learnt are undone in both.
        undone = torch.zeros(self._config.layers + 1, *shape)
        if self.aligned:
            undone = twin.precompensation_phase()
        inputs = torch.ones(1, *shape) if on_dmd else undone[:1]
        # The draw is always the same: so is the hologram of an image.
        start = REST_RAD + random_start((self._config.layers, *shape), SPREAD_RAD, seed=0)
        whole = picture_objective(target, Roi(0, 0, *shape))
        optimiser = HologramOptimiser(start, whole, self._steps, RATE_RAD)
        likeness = 0.0
        for step in range(self._steps):
            seen = optimiser.step(lambda phases: twin(inputs, phases + undone[1:])[0])
            likeness = correlation(seen, target)
            picture = None
            if step % PICTURE_EVERY == 0 or step + 1 == self._steps:
                picture = seen.numpy().copy()
            yield HologramStep(step, self._steps, likeness, picture)
        layers = optimiser.phases.detach() + undone[1:]
        patches = layers if on_dmd else torch.cat([inputs, layers])
        shown = patches.numpy().astype(np.float32)
        if self._response is not None:
            self._bench.display.use_phase_response(self._response.phase_by_grey_rad)
        if self._bench.dmd is not None:
            self._bench.dmd.show(np.ones(self._bench.dmd.shape, np.float32))
        self._bench.show(shown)
        yield HologramDisplayed(shown, likeness, self.aligned)
        return shown


def _aligned_twin(config: BenchConfig, archive: CalibrationArchive) -> tuple[DigitalTwin, bool]:
    """Return the twin, and whether it has the archived alignment."""
    twin = build_twin(config)
    stored = archive.latest(AlignmentFound.routine)
    aligned = False
    if stored is not None and isinstance(stored.result, AlignmentFound):
        aligned = stored.result.names == value_names(twin)
        if aligned:
            load_parameter_vector(twin, torch.from_numpy(stored.result.value).float())
    twin.refining(False)
    return twin, aligned


def _phase_response(archive: CalibrationArchive) -> PhaseResponse | None:
    """Return the phase response of the SLM as it was measured last; None if it was not."""
    stored = archive.latest(PhaseResponse.routine)
    found = None if stored is None else stored.result
    return found if isinstance(found, PhaseResponse) else None
