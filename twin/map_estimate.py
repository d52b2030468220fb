"""What a map that was measured apart, such as a beam's or a wavefront's, says of the twin's parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.digital_twin import DigitalTwin
from twin.parameter_vector import is_among, load_parameter_vector, value_names
from twin.prior import Estimate, Prior

ITERATIONS = 4
DIFFERENCE = 0.05
"""Step of the finite differences, as a share of each parameter's prior sigma."""
LARGEST_SHARE = 0.5
"""A value is estimated if the map leaves it no more than this share of its prior sigma."""
ANYTHING = 1e3
"""Standard deviation of what the measurement leaves undetermined, in units of the map."""


@dataclass(frozen=True, slots=True)
class MeasuredMap:
    """K measured numbers with their covariance (K, K), float64.

    undetermined (K, M): patterns of which the measurement tells nothing, such as a piston and a tilt.
    """

    values: Tensor
    covariance: Tensor
    undetermined: Tensor


def estimate_parameters(
    twin: DigitalTwin,
    predict: Callable[[DigitalTwin], Tensor],
    measured: MeasuredMap,
    free: Collection[str],
    prior: Prior,
) -> dict[str, Estimate]:
    """Return the values of which the map tells more than the prior, by their names in archives.

    Gauss-Newton with the prior's normal distribution. What one parameter may explain as well as another
    stays uncertain in both. A map that is missed by more than its covariance is trusted so much less
    (Birge, Phys. Rev. 40, 207 (1932)).

    Args:
        twin: its geometry; the twin is left as it is.
        predict: a twin's map, (K,).
        measured: the map.
        free: names of the parameters on which it depends.
        prior: what is known of all parameters without it.
    """
    model = DigitalTwin(twin.geometry)
    index = is_among(model, free).nonzero()[:, 0]
    mean, sigma = prior.mean[index].double(), prior.sigma[index].double()
    covariance = measured.covariance + ANYTHING**2 * measured.undetermined @ measured.undetermined.T
    weight = torch.linalg.inv(covariance)
    known = torch.diag(sigma**-2)
    theta = prior.mean.clone()
    count = len(measured.values) - measured.undetermined.shape[1]
    scale = 1.0
    posterior = torch.diag(sigma.square())

    def predicted(values: Tensor) -> Tensor:
        load_parameter_vector(model, values)
        return predict(model).double()

    for _ in range(ITERATIONS):
        now = predicted(theta)
        missed = measured.values - now
        columns = []
        for place, of in zip(index, sigma, strict=True):
            moved = theta.clone()
            moved[place] += DIFFERENCE * float(of)
            columns.append((predicted(moved) - now) / float(moved[place] - theta[place]))
        jacobian = torch.stack(columns, 1)
        told = jacobian.T @ weight @ jacobian / scale
        posterior = torch.linalg.inv(told + known)
        pull = jacobian.T @ weight @ missed / scale + known @ (mean - theta[index])
        step = posterior @ pull
        theta[index] += step.float()
        left = missed - jacobian @ step
        degrees = count - float((posterior @ told).diagonal().sum())
        scale = max(float(left @ weight @ left) / max(degrees, 1.0), 1.0)
    names = value_names(model)
    return {
        names[place]: Estimate(float(theta[place]), float(spread))
        for place, spread, before in zip(
            index.tolist(), posterior.diagonal().sqrt(), sigma, strict=True
        )
        if spread <= LARGEST_SHARE * before
    }
