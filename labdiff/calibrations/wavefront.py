"""The routine `wavefront`: phase and amplitude of the light on the last patch; it informs the twin."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.spots import LensSpots
from calibration.wavefront import BLOCKS, Wavefront, measure_wavefront
from labdiff.calibrations.routine import Routine, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from twin.digital_twin import DigitalTwin
from twin.map_estimate import MeasuredMap, estimate_parameters
from twin.parameters import ALIGNMENT_PARAMETERS
from twin.prior import Estimate, data_sheet_prior
from twin.spot_phase import spot_field

BENDING = frozenset(
    p.name
    for p in ALIGNMENT_PARAMETERS
    if p.element in ("cavity", "source", "backplane", "relay")
    and p.data_sheet == 0.0
    and not p.name.startswith("ghost")
)
"""The parameters on which the phase of the light on the last patch depends, seen through the relay."""
LEAST_AMPLITUDE = 0.2
"""Super-pixels with less light, as a share of the brightest place's, have no phase worth fitting."""


def _measure(calibrated: CalibratedBench) -> Job[Wavefront]:
    """Measure the light on the last patch, with all that it has met before.

    Its spots are where the registration's were: light that meets the patch at an angle is carried off
    to the side, by some pixels. The alignment, which knows the angle, has moved the bench's registration
    by just that.
    """
    bench = calibrated.bench
    open_modulator(calibrated)
    return (
        yield from measure_wavefront(
            bench.slm,
            bench.camera,
            LensSpots(bench.layout),
            calibrated.measured_registration or calibrated.registration,
            calibrated.dark.pedestal_counts,
            bench.settle,
            _middle(bench.layout.patch_shape),
        )
    )


def _middle(shape: tuple[int, int]) -> np.ndarray:
    return (np.array(shape, np.float64) - 1.0) / 2.0


def _apply(calibrated: CalibratedBench, found: Wavefront) -> None:
    """Contribute what bends the wavefront, as far as it tells the causes apart, to the twin."""
    lens = LensSpots(calibrated.bench.layout).kernel(_middle(calibrated.twin.geometry.shape))
    calibrated.contribute(Wavefront.routine, estimates(calibrated.twin, found, lens))


def estimates(twin: DigitalTwin, found: Wavefront, lens_rad: np.ndarray) -> dict[str, Estimate]:
    """Return what a measured wavefront says of a twin, by the names of its values.

    Args:
        twin: of the bench.
        found: the wavefront.
        lens_rad: (h, w), the phase of the lens on the last patch with which it was measured.
    """
    down, across = (
        _block_means(size, n) for size, n in zip(twin.geometry.shape, BLOCKS, strict=True)
    )
    phase, amplitude = (
        (down @ torch.from_numpy(np.asarray(values, np.float64)) @ across.T)
        for values in (found.phase_rad, found.amplitude)
    )
    lit = (amplitude > LEAST_AMPLITUDE * amplitude.max()).flatten()
    lens = torch.from_numpy(np.asarray(lens_rad, np.float64))

    def missed(model: DigitalTwin) -> Tensor:
        """Return the twin's phase of each super-pixel, unwrapped beside the measured one."""
        light = down.to(torch.complex128) @ spot_field(model, lens) @ across.T.to(torch.complex128)
        ratio = (light * torch.polar(torch.ones_like(phase), -phase)).numpy()
        difference = np.unwrap(np.unwrap(np.angle(ratio), axis=0), axis=1)
        return (phase + torch.from_numpy(difference)).flatten()[lit]

    rows, columns = torch.meshgrid(
        *(torch.linspace(-1.0, 1.0, n, dtype=torch.float64) for n in BLOCKS), indexing="ij"
    )
    undetermined = torch.stack([torch.ones_like(rows), rows, columns], -1).flatten(0, 1)[lit]
    relative = float(amplitude.median()) / amplitude.flatten()[lit]
    covariance = torch.diag((found.phase_sigma_rad * relative).square())
    measured = MeasuredMap(phase.flatten()[lit], covariance, undetermined)
    return estimate_parameters(twin, missed, measured, BENDING, data_sheet_prior(twin))


def _block_means(size: int, blocks: int) -> Tensor:
    """Return the means over super-pixels along one axis as a matrix, (blocks, size)."""
    edges = torch.from_numpy(np.linspace(0, size, blocks + 1).astype(int))
    place = torch.arange(size)
    inside = ((place >= edges[:-1, None]) & (place < edges[1:, None])).double()
    return inside / inside.sum(1, keepdim=True)


WAVEFRONT = Routine(Wavefront, _measure, depends_on=(Registration, PhaseResponse), needed=False)
