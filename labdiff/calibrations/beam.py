"""The routine `beam`: where the beam meets the first patch, and how wide it is; it informs the twin."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from calibration.beam import FIRST_SIDE, BeamFound, Crosstalk, measure_beam
from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from twin.digital_twin import DigitalTwin
from twin.map_estimate import MeasuredMap, estimate_parameters
from twin.parameter_vector import value_names
from twin.parameters import ALIGNMENT_PARAMETERS
from twin.prior import Estimate, data_sheet_prior, with_estimates

SHAPE = frozenset(
    p.name for p in ALIGNMENT_PARAMETERS if p.element == "source" and not p.name.startswith("ghost")
)
"""The parameters on which the amplitude over the first patch depends."""
EDGE = "mirror_edge_px"
"""The parameter that the edge's fringes tell."""


def _measure(calibrated: CalibratedBench) -> Job[BeamFound]:
    """Measure the beam; a lens that the fringing field blurs focuses less than it should."""
    open_modulator(calibrated)
    return (
        yield from measure_beam(
            observed_slm(calibrated),
            calibrated.bench.layout,
            calibrated.measured_registration or calibrated.registration,
            _crosstalk(calibrated),
        )
    )


def _crosstalk(calibrated: CalibratedBench) -> Crosstalk:
    """Return the crosstalk as the last alignment found it; before the first, as the prior has it."""
    index = value_names(calibrated.twin).index("crosstalk_px")
    if calibrated.covariance is not None:
        variance = float(calibrated.covariance[index, index])
        return Crosstalk(float(calibrated.twin.crosstalk_px), math.sqrt(max(variance, 0.0)))
    # A width is never negative: mean and deviation of half a normal distribution.
    sigma_px = float(data_sheet_prior(calibrated.twin).sigma[index])
    mean_px = sigma_px * math.sqrt(2.0 / math.pi)
    return Crosstalk(mean_px, sigma_px * math.sqrt(1.0 - 2.0 / math.pi))


def _apply(calibrated: CalibratedBench, found: BeamFound) -> None:
    """Give the twin place, width and structure of the beam, and the mirror's edge."""
    if calibrated.config.input.kind == "slm_patch":
        calibrated.contribute(BeamFound.routine, estimates(calibrated.twin, found))


def estimates(twin: DigitalTwin, found: BeamFound) -> dict[str, Estimate]:
    """Return what a measured beam says of a twin's source, by the names of its values."""
    edge: dict[str, Estimate] = {}
    if math.isfinite(found.edge_px):
        edge[EDGE] = Estimate(found.edge_px, found.edge_sigma_px)
    prior = with_estimates(data_sheet_prior(twin), twin, edge)
    deviations = _vector(found.first_sigma)
    covariance = torch.diag(deviations.square())
    if found.crosstalk_error.size:
        error = _vector(found.crosstalk_error)
        covariance += torch.outer(error, error)
    amplitude = _vector(found.first_amplitude)
    measured = MeasuredMap(amplitude, covariance, torch.zeros(len(amplitude), 0).double())
    free = SHAPE if edge else SHAPE - {EDGE}
    return edge | estimate_parameters(twin, _block_amplitudes, measured, free, prior)


def _block_amplitudes(twin: DigitalTwin) -> Tensor:
    """Return the amplitude over the first patch as `BeamFound` has it, (7 * 7,): rms 1."""
    amplitude = twin.source_field().abs().double()
    down, across = (_block_means(size) for size in amplitude.shape)
    means = (down @ amplitude @ across.T).flatten()
    return means / means.square().mean().sqrt()


def _vector(values: npt.NDArray[np.floating]) -> Tensor:
    """Return a map as a vector of its own, float64."""
    return torch.tensor(values, dtype=torch.float64).flatten()


def _block_means(size: int) -> Tensor:
    """Return the means over blocks along one axis as a matrix, (7, size)."""
    block = torch.arange(size) * FIRST_SIDE // size
    inside = (block == torch.arange(FIRST_SIDE)[:, None]).double()
    return inside / inside.sum(1, keepdim=True)


BEAM = Routine(
    BeamFound,
    _measure,
    depends_on=(Registration, PhaseResponse),
    apply=_apply,
    needed=False,
    needs=PATTERNS,
)
