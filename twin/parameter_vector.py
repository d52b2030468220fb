"""All parameters of a twin as one vector (P,): their values, names, priors, and what a run records."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from twin.digital_twin import DigitalTwin
from twin.parameters import ALIGNMENT_PARAMETERS, FitPhase


def parameter_vector(twin: DigitalTwin) -> Tensor:
    """Return the values of all parameters, (P,), in the order of `twin.parameters()`."""
    return torch.cat([p.detach().flatten() for p in twin.parameters()]).clone()


def load_parameter_vector(twin: DigitalTwin, theta: Tensor) -> None:
    """Give a twin the values that `parameter_vector` returns."""
    values = {}
    for (name, parameter), part in zip(twin.named_parameters(), _parts(twin, theta), strict=True):
        values[name] = part.view_as(parameter).clone()
    twin.load_alignment(values | twin.free_form)


def _parts(twin: DigitalTwin, theta: Tensor) -> tuple[Tensor, ...]:
    sizes = [p.numel() for p in twin.parameters()]
    return tuple(theta[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(sizes)))


def value_names(twin: DigitalTwin) -> tuple[str, ...]:
    """Return the name of every value, as calibration archives hold them."""
    return tuple(
        name
        for record in ALIGNMENT_PARAMETERS
        for name in record.value_names(twin.get_parameter(record.name).shape)
    )


def data_sheet_vector(twin: DigitalTwin) -> Tensor:
    """Return the data sheet's value of every parameter, (P,)."""
    return _of_each_value(twin, [record.data_sheet for record in ALIGNMENT_PARAMETERS])


def prior_sigma(twin: DigitalTwin) -> Tensor:
    """Return how far every value may be from the data sheet's, (P,), one standard deviation."""
    return _of_each_value(twin, [record.prior_sigma for record in ALIGNMENT_PARAMETERS])


def unresolved_sigma(twin: DigitalTwin) -> Tensor:
    """Return what one sample a pixel cannot resolve of every value, (P,), one standard deviation."""
    return _of_each_value(twin, [record.unresolved for record in ALIGNMENT_PARAMETERS])


def start_searches(twin: DigitalTwin, phase: FitPhase) -> None:
    """Move the parameters that a phase of the alignment sets free to where their search starts."""
    starts = {
        record.name: torch.full_like(twin.get_parameter(record.name), record.search_start)
        for record in ALIGNMENT_PARAMETERS
        if record.fitted_from == phase and record.search_start is not None
    }
    twin.load_alignment(twin.state_dict() | starts)


def reset(twin: DigitalTwin, names: Collection[str]) -> None:
    """Give parameters their data-sheet values again."""
    start = {
        record.name: torch.full_like(twin.get_parameter(record.name), record.data_sheet)
        for record in ALIGNMENT_PARAMETERS
        if record.name in names
    }
    twin.load_alignment(twin.state_dict() | start)


def is_among(twin: DigitalTwin, names: Collection[str]) -> Tensor:
    """Return for every value whether its parameter is one of these, (P,) bool."""
    return _of_each_value(twin, [record.name in names for record in ALIGNMENT_PARAMETERS])


def _of_each_value(twin: DigitalTwin, of_parameters: list[float] | list[bool]) -> Tensor:
    counts = torch.tensor([p.numel() for p in twin.parameters()])
    return torch.tensor(of_parameters).repeat_interleave(counts)
