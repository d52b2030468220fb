"""What is known of the twin's parameters before a fit: the data sheet, and what was measured apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from twin.digital_twin import DigitalTwin
from twin.parameter_vector import (
    data_sheet_vector,
    load_parameter_vector,
    parameter_vector,
    prior_sigma,
    value_names,
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One value of a twin's parameter as it was measured apart, and its standard deviation."""

    value: float
    sigma: float


def combined(estimates: Iterable[Mapping[str, Estimate]]) -> dict[str, Estimate]:
    """Return one estimate a name; independent ones of the same are weighted by their variances."""
    found: dict[str, Estimate] = {}
    for each in estimates:
        for name, new in each.items():
            if name in found:
                old = found[name]
                weights = old.sigma**-2, new.sigma**-2
                value = (weights[0] * old.value + weights[1] * new.value) / sum(weights)
                new = Estimate(value, sum(weights) ** -0.5)
            found[name] = new
    return found


@dataclass(frozen=True, slots=True)
class Prior:
    """Where a fit expects the parameters, and how far from there.

    Attributes:
        mean: (P,), in the order of `twin.parameter_vector.parameter_vector`.
        sigma: (P,), one standard deviation.
        share: weight of the prior, as a share of the weight of the frames, for each value that is one
            sigma away. Far off it has to lead; close by, where a share of 1e-4 is about what noise of
            independent pixels says, it only decides between parameters that the frames cannot tell apart.
    """

    mean: Tensor
    sigma: Tensor
    share: float = 1e-2


def data_sheet_prior(twin: DigitalTwin, share: float = 1e-2) -> Prior:
    """Return the prior that the data sheet gives."""
    return Prior(data_sheet_vector(twin), prior_sigma(twin), share)


def prior_around(twin: DigitalTwin, share: float = 1e-2) -> Prior:
    """Return a prior around the twin's present parameters, as wide as the data sheet has them."""
    return Prior(parameter_vector(twin), prior_sigma(twin), share)


def with_estimates(prior: Prior, twin: DigitalTwin, estimates: Mapping[str, Estimate]) -> Prior:
    """Return a prior with values that are known better, around where they were measured.

    Args:
        prior: of all parameters of the twin.
        twin: the twin.
        estimates: by their names in archives, as `twin.parameter_vector.value_names` has them.
    """
    mean, sigma, names = prior.mean.clone(), prior.sigma.clone(), value_names(twin)
    for name, estimate in estimates.items():
        index = names.index(name)
        mean[index] = estimate.value
        sigma[index] = min(estimate.sigma, float(sigma[index]))
    return Prior(mean, sigma, prior.share)


def load_estimates(twin: DigitalTwin, estimates: Mapping[str, Estimate]) -> None:
    """Give the twin these values, by their names in archives; all others stay."""
    theta, names = parameter_vector(twin), value_names(twin)
    for name, estimate in estimates.items():
        theta[names.index(name)] = torch.tensor(estimate.value)
    load_parameter_vector(twin, theta)
