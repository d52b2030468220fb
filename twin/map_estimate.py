"""What a map that was measured apart, such as a beam's or a wavefront's, says of the twin's parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.digital_twin import DigitalTwin
from twin.parameter_vector import (
    is_among,
    load_parameter_vector,
    parameter_vector,
    prior_sigma,
    value_names,
)
from twin.parameters import ALIGNMENT_PARAMETERS
from twin.prior import Estimate, Prior

ITERATIONS, HALVINGS = 6, 4
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
    degrees = float(len(measured.values) - measured.undetermined.shape[1])

    def missed_at(values: Tensor) -> Tensor:
        load_parameter_vector(model, values)
        return measured.values - predict(model).double()

    def cost(values: Tensor, missed: Tensor) -> float:
        away = values[index] - mean
        return float(missed @ weight @ missed / scale + away @ known @ away)

    theta = prior.mean.clone()
    missed = missed_at(theta)
    # While much is missed the prior leads, as in the alignment's fit.
    scale = max(float(missed @ weight @ missed) / degrees, 1.0)
    for _ in range(ITERATIONS):
        columns = []
        for place, of in zip(index, sigma, strict=True):
            moved = theta.clone()
            moved[place] += DIFFERENCE * float(of)
            columns.append((missed - missed_at(moved)) / float(moved[place] - theta[place]))
        jacobian = torch.stack(columns, 1)
        by_frames = jacobian.T @ weight @ jacobian / scale
        posterior = torch.linalg.inv(by_frames + known)
        pull = jacobian.T @ weight @ missed / scale + known @ (mean - theta[index])
        step, before = posterior @ pull, cost(theta, missed)
        for _ in range(HALVINGS):
            candidate = theta.index_add(0, index, step.float())
            left = missed_at(candidate)
            if cost(candidate, left) <= before:
                theta, missed = candidate, left
                break
            step = 0.5 * step
        determined = float((posterior @ by_frames).diagonal().sum())
        chi_squared = float(missed @ weight @ missed)
        scale = max(chi_squared / max(degrees - determined, 1.0), 1.0)
    names = value_names(model)
    return {
        names[place]: Estimate(float(theta[place]), float(spread))
        for place, spread, before in zip(
            index.tolist(), posterior.diagonal().sqrt(), sigma, strict=True
        )
        if spread <= LARGEST_SHARE * before
    }


def spread_of_others(
    twin: DigitalTwin, predict: Callable[[DigitalTwin], Tensor], others: Collection[str]
) -> Tensor:
    """Return how far a map may lie from the data sheet's because of other parameters, (K, K) float64.

    Each value is moved by its prior sigma, by itself, as far as that bends the map, linear or not.

    Args:
        twin: its geometry.
        predict: a twin's map, (K,).
        others: names of the parameters that are moved.
    """
    model = DigitalTwin(twin.geometry)
    start, sigma = parameter_vector(model), prior_sigma(model)
    base = predict(model).double()
    covariance = torch.zeros(len(base), len(base), dtype=torch.float64)
    for record in ALIGNMENT_PARAMETERS:
        origin = record.data_sheet if record.search_start is None else record.search_start
        for place in is_among(model, {record.name} & set(others)).nonzero()[:, 0]:
            moved = start.clone()
            moved[place] = origin + float(sigma[place])
            load_parameter_vector(model, moved)
            change = predict(model).double() - base
            covariance += torch.outer(change, change)
    return covariance
