"""The routine `wavefront`: phase and amplitude of the light on the last patch; it informs the twin."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from calibration.phase_response import PhaseResponse
from calibration.registration import Registration
from calibration.spots import LensSpots
from calibration.wavefront import BLOCKS, Wavefront, measure_wavefront
from labdiff.calibrations.routine import PATTERNS, Routine, observed_slm, open_modulator
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench
from twin.digital_twin import DigitalTwin
from twin.map_estimate import MeasuredMap, estimate_parameters, spread_of_others
from twin.parameters import ALIGNMENT_PARAMETERS
from twin.prior import Estimate, data_sheet_prior
from twin.spot_phase import spot_field

TOLD = frozenset(p.name for p in ALIGNMENT_PARAMETERS if p.element == "relay")
"""The parameters that a wavefront is to tell: what the relay adds to it."""
OTHERS = frozenset(
    p.name
    for p in ALIGNMENT_PARAMETERS
    if p.element in ("cavity", "source", "backplane") and not p.name.startswith("ghost")
)
"""The parameters that bend it too. What they may explain as well is not reported."""
MAP_SIGMA_RAD = 0.1
"""What a smooth map misses of a super-pixel's phase, and a twin of one sample a pixel of its light."""
UNDERSTATED = 3.0
"""Factor on all deviations: tilts and gap act together, and bend more than each by itself. Without it
estimates on six mock benches were off by 2 to 3 of their deviations, rms, from what the alignment found."""
LEAST_AMPLITUDE = 0.2
"""Super-pixels with less light, as a share of the brightest's, have no phase worth fitting."""


def _measure(calibrated: CalibratedBench) -> Job[Wavefront]:
    """Measure the light on the last patch, with all that it has met before.

    Its spots are where the registration's were: light that meets the patch at an angle is carried off
    to the side, by some pixels. The alignment, which knows the angle, has moved the bench's registration
    by just that.
    """
    layout = calibrated.bench.layout
    open_modulator(calibrated)
    return (
        yield from measure_wavefront(
            observed_slm(calibrated),
            LensSpots(layout),
            calibrated.measured_registration or calibrated.registration,
            _middle(layout.patch_shape),
        )
    )


def _middle(shape: tuple[int, int]) -> np.ndarray:
    return (np.array(shape, np.float64) - 1.0) / 2.0


def _apply(calibrated: CalibratedBench, found: Wavefront) -> None:
    """Give the twin what the wavefront tells of the relay."""
    layout = calibrated.bench.layout
    lens_rad = LensSpots(layout).kernel(_middle(layout.patch_shape))
    calibrated.contribute(Wavefront.routine, estimates(calibrated.twin, found, lens_rad))


def estimates(twin: DigitalTwin, found: Wavefront, lens_rad: np.ndarray) -> dict[str, Estimate]:
    """Return what a measured wavefront tells of a twin, by the names of its values.

    Args:
        twin: its geometry.
        found: the wavefront.
        lens_rad: (h, w), the phase of the lens on the last patch with which it was measured.
    """
    blocks = SuperPixelPhases(twin, found, torch.tensor(lens_rad, dtype=torch.float64))
    covariance = UNDERSTATED**2 * (blocks.noise() + spread_of_others(twin, blocks.of, OTHERS))
    measured = MeasuredMap(blocks.measured(), covariance, blocks.undetermined())
    return estimate_parameters(twin, blocks.of, measured, TOLD, data_sheet_prior(twin))


class SuperPixelPhases:
    """Phases of the K super-pixels that are lit, beside those of the data sheet, without their tilt."""

    def __init__(self, twin: DigitalTwin, found: Wavefront, lens_rad: Tensor) -> None:
        rows, columns = (
            _block_means(size, n) for size, n in zip(twin.geometry.shape, BLOCKS, strict=True)
        )
        self._phase, amplitude = (
            rows @ torch.tensor(values, dtype=torch.float64) @ columns.T
            for values in (found.phase_rad, found.amplitude)
        )
        self._lit = (amplitude > LEAST_AMPLITUDE * amplitude.max()).flatten()
        self._dimness = float(amplitude.median()) / amplitude.flatten()[self._lit]
        self._sigma_rad = math.hypot(found.phase_sigma_rad, MAP_SIGMA_RAD)
        self._to_blocks = rows.to(torch.complex128), columns.T.to(torch.complex128)
        self._lens_rad = lens_rad
        self._by_data_sheet = self._light(DigitalTwin(twin.geometry)).conj()

    def _light(self, twin: DigitalTwin) -> Tensor:
        rows, columns = self._to_blocks
        return rows @ spot_field(twin, self._lens_rad) @ columns

    def of(self, twin: DigitalTwin) -> Tensor:
        """Return a twin's phases, (K,)."""
        return self._beside_data_sheet(self._light(twin))

    def measured(self) -> Tensor:
        """Return the measured phases, (K,)."""
        return self._beside_data_sheet(torch.polar(torch.ones_like(self._phase), self._phase))

    def noise(self) -> Tensor:
        """Return the covariance of the measured phases, (K, K)."""
        return torch.diag((self._sigma_rad * self._dimness).square())

    def undetermined(self) -> Tensor:
        """Return a piston and two tilts, (K, 3): a tilt is a shift of the registration."""
        rows, columns = torch.meshgrid(
            *(torch.linspace(-1.0, 1.0, n, dtype=torch.float64) for n in BLOCKS), indexing="ij"
        )
        return torch.stack([torch.ones_like(rows), rows, columns], -1).flatten(0, 1)[self._lit]

    def _beside_data_sheet(self, light: Tensor) -> Tensor:
        return _unwrapped(light * self._by_data_sheet).flatten()[self._lit]


def _unwrapped(light: Tensor) -> Tensor:
    """Return the phase of a smooth field (m, n) without jumps and without its tilt."""
    field = light.numpy()
    down = np.angle((field[1:] * field[:-1].conj()).sum())
    across = np.angle((field[:, 1:] * field[:, :-1].conj()).sum())
    ramp = down * np.arange(field.shape[0])[:, None] + across * np.arange(field.shape[1])
    level = field * np.exp(-1j * ramp)
    phase = np.angle(level * np.conj(level.sum()))
    return torch.from_numpy(np.unwrap(np.unwrap(phase, axis=0), axis=1))


def _block_means(size: int, blocks: int) -> Tensor:
    """Return the means over super-pixels along one axis as a matrix, (blocks, size)."""
    edges = torch.from_numpy(np.linspace(0, size, blocks + 1).astype(int))
    place = torch.arange(size)
    inside = ((place >= edges[:-1, None]) & (place < edges[1:, None])).double()
    return inside / inside.sum(1, keepdim=True)


WAVEFRONT = Routine(
    Wavefront,
    _measure,
    depends_on=(Registration, PhaseResponse),
    apply=_apply,
    needed=False,
    needs=PATTERNS,
)
