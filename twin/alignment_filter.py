"""A Kalman filter of all of a twin's unknowns, fed with the frames that training takes anyway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.alignment_fit import Triples, information, normalised
from twin.digital_twin import DigitalTwin
from twin.discrepancy import discrepancy
from twin.frame_light import FrameLight, frame_light
from twin.parameter_vector import load_parameter_vector, parameter_vector, prior_sigma
from twin.parameters import ALIGNMENT_PARAMETERS, Wander

OTHERS_SHARE, OTHERS_MINUTES = 0.01, 60.0
"""How a parameter moves of which its record says nothing: rms as a share of its prior sigma, and
correlation time."""
LONGEST_STEP = 0.5
"""Longest step, in expected deviations: far off, images are no linear function of the parameters."""
SURPRISE = 2.0
"""Times the variance that can be explained, beyond which a step makes the filter forget."""
ASTRAY = 3.0
WORSE = 1.02
LEAST_VARIANCE = 1e-12
"""Of a pixel: what single precision leaves."""


@dataclass(frozen=True, slots=True)
class FrameComparison:
    """Frames compared with the twin as it is.

    discrepancy (B,): D of each. residual (B, h, w): modelled - measured, both normalised. slope (P,):
    J^T r, summed over the frames. light: scale and offset of each, which normalised frames do not show.
    """

    discrepancy: Tensor
    residual: Tensor
    slope: Tensor
    light: FrameLight


class TwinFilter:
    """Extended Kalman filter; its state are the twin's own parameters, with `covariance` (P, P), float64.

    Measured are normalised images, r = modelled - measured. One backward pass gives J^T r for all
    parameters at once. J^T J, what a frame tells, changes slowly while layers learn: it is taken by
    finite differences now and then (`take_information`), and serves until the next time. The steps have
    the right direction and about the right length; what one misses, the next makes up for.

    Noise: the pixels' variance is what the residual shows, times `together`: where the twin errs, pixels
    of a frame err together, and count as so many fewer.
    """

    def __init__(self, twin: DigitalTwin, covariance: Tensor) -> None:
        """Begin with a covariance (P, P); 0 for a parameter that is to stay as it is."""
        self.twin = twin
        self._begin(covariance.double())
        self.forget()
        self._expected = prior_sigma(twin).double()

    def _begin(self, covariance: Tensor) -> None:
        self._start = covariance
        self._free = (covariance.diagonal() > 0.0).nonzero()[:, 0]

    def start_again(self, covariance: Tensor) -> None:
        """Begin anew with another covariance (P, P), as a fit of the twin has it."""
        self._begin(covariance.double())
        self.forget()

    def forget(self) -> None:
        """Forget all but the covariance of the start."""
        self.covariance = self._start.clone()
        self.curvature = torch.zeros_like(self._start)
        self.unexplained = self.together = self.caution = 1.0

    def predict(self, seconds: float) -> None:
        """Increase the covariance by how far parameters wander in this time."""
        grown: list[float] = []
        for record in ALIGNMENT_PARAMETERS:
            wander = record.wander or Wander(OTHERS_SHARE * record.prior_sigma, OTHERS_MINUTES)
            # How far an Ornstein-Uhlenbeck process gets from where it was.
            away = 2.0 * wander.rms**2 * -math.expm1(-seconds / (60.0 * wander.minutes))
            grown += [away] * self.twin.get_parameter(record.name).numel()
        free = self._free
        self.covariance[free, free] += torch.tensor(grown, dtype=torch.float64)[free]

    @property
    def expected_discrepancy(self) -> float:
        """What the parameters' own uncertainty adds to D, on the average: half the trace of J P J^T."""
        return 0.5 * float((self.curvature * self.covariance).sum())

    def measured(self, triples: Triples) -> FrameComparison:
        """Compare the twin with these frames; layers that all frames share come as (1, N, h, w)."""
        twin = self.twin
        twin.refining(True)
        try:
            modelled = twin(triples.inputs, _shared(triples))
            measured, valid = triples.intensity, triples.valid
            d = discrepancy(measured, modelled.detach(), valid)
            light = frame_light(measured, modelled, valid)
            residual = normalised(modelled, valid) - normalised(measured, valid)
            slopes = torch.autograd.grad(
                0.5 * residual.square().sum(), list(twin.parameters()), allow_unused=True
            )
        finally:
            twin.refining(False)
        parts = [
            torch.zeros(p.numel()) if slope is None else slope.flatten()
            for slope, p in zip(slopes, twin.parameters(), strict=True)
        ]
        return FrameComparison(d, residual.detach(), torch.cat(parts).double(), light)

    def take_information(
        self, coarse: DigitalTwin, triples: Triples, comparison: FrameComparison
    ) -> None:
        """Measure on some frames what a frame tells.

        Args:
            coarse: a twin with fewer samples, which gives the same information.
            triples: frames with their inputs and layers.
            comparison: of these frames.
        """
        found = information(coarse, triples, comparison.residual, self.covariance)
        self.curvature, self.together = found.curvature, found.together
        self.unexplained = max(found.unexplained, LEAST_VARIANCE)

    def astray(self, comparison: FrameComparison) -> bool:
        """Return whether much more is missed than can be explained."""
        return self._fading(comparison) > ASTRAY

    def _fading(self, comparison: FrameComparison) -> float:
        variance = float(comparison.residual.square().mean())
        return max(variance / (SURPRISE * self.unexplained), 1.0)

    def update(self, triples: Triples, comparison: FrameComparison) -> bool:
        """Make one step of the twin's parameters, and update what is known of them.

        False if the step would have made things worse: then it is not taken, and the next one is shorter.
        """
        free = self._free
        among = free[:, None], free[None, :]
        frames = len(comparison.residual)
        variance = float(comparison.residual.square().mean())
        noise = self.together * self.unexplained * self.caution
        # What is missed by more than can be explained is known less well than the filter thinks.
        fading = self._fading(comparison)
        known = torch.linalg.inv(self.covariance[among]) / fading
        known += (1.0 - 1.0 / fading) * torch.linalg.inv(self._start[among])
        after = torch.linalg.inv(known + frames / noise * self.curvature[among])
        step = -(after @ comparison.slope[free]) / noise
        longest = LONGEST_STEP * self._expected[free]
        # All by the same share: parameters that compensate each other have to move together.
        step *= float((longest / step.abs().clamp_min(1e-12)).min().clamp(max=1.0))
        before = parameter_vector(self.twin)
        theta = before.clone()
        theta[free] += step.float()
        load_parameter_vector(self.twin, theta)
        with torch.no_grad():
            modelled = self.twin(triples.inputs, _shared(triples))
            left = normalised(modelled, triples.valid)
            left -= normalised(triples.intensity, triples.valid)
        if float(left.square().mean()) > WORSE * variance:
            load_parameter_vector(self.twin, before)
            self.caution = min(4.0 * self.caution, 1e6)
            return False
        self.caution = max(self.caution / 2.0, 1.0)
        self.covariance[among] = 0.5 * (after + after.T)
        return True

    def state(self) -> dict[str, Tensor]:
        """Return all that the filter remembers beside the twin's parameters."""
        scalars = torch.tensor([self.unexplained, self.together, self.caution], dtype=torch.float64)
        return {
            "scalars": scalars,
            "start": self._start.clone(),
            "covariance": self.covariance.clone(),
            "curvature": self.curvature.clone(),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Resume from what `state` returned. Raises KeyError if something is missing."""
        self.unexplained, self.together, self.caution = state["scalars"].tolist()
        self._begin(state["start"].clone())
        self.covariance = state["covariance"].clone()
        self.curvature = state["curvature"].clone()


def _shared(triples: Triples) -> Tensor:
    """Return the layers, (N, h, w) if all frames share them, else (B, N, h, w)."""
    return triples.phases[0] if len(triples.phases) == 1 else triples.phases
