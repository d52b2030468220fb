"""What events and run files hold of a twin: values people can read, and their standard deviations."""

from __future__ import annotations

import math

from torch import Tensor

from twin.parameters import AlignmentParameter


def recorded_values(
    record: AlignmentParameter, parameter: Tensor, z_gap_mm: float
) -> dict[str, float]:
    """Return the recorded values of one parameter by name.

    Args:
        record: the parameter's record.
        parameter: its values in the twin.
        z_gap_mm: SLM to mirror by the data sheet.
    """
    values = parameter.detach().double()
    names = record.recorded_names(parameter.shape)
    match record.recorded:
        case "not":
            return {}
        case "absolute":
            return {names[0]: z_gap_mm * (1.0 + float(values) / 100.0)}
        case "each value":
            return dict(zip(names, values.flatten().tolist(), strict=True))
        case _:
            return {names[0]: float(values.norm()) / math.sqrt(_count(record, parameter))}


def recorded_deviations(
    record: AlignmentParameter, parameter: Tensor, covariance: Tensor, z_gap_mm: float
) -> dict[str, float]:
    """Return one standard deviation of each of `recorded_values`, to first order.

    Args:
        record: the parameter's record.
        parameter: its K values in the twin.
        covariance: of these values, (K, K).
        z_gap_mm: SLM to mirror by the data sheet.
    """
    names = record.recorded_names(parameter.shape)
    spread = covariance.diagonal().clamp_min(0.0).sqrt()
    match record.recorded:
        case "not":
            return {}
        case "absolute":
            return {names[0]: float(spread) / 100.0 * z_gap_mm}
        case "each value":
            return dict(zip(names, spread.tolist(), strict=True))
        case _:
            spread_of_norm = _deviation_of_norm(parameter, covariance)
            return {names[0]: spread_of_norm / math.sqrt(_count(record, parameter))}


def _count(record: AlignmentParameter, parameter: Tensor) -> int:
    """Return the number of squares over which the recorded value is a mean."""
    counts = {"norm": 1, "rms": parameter.numel(), "rms over patches": len(parameter)}
    return counts[record.recorded]


def _deviation_of_norm(parameter: Tensor, covariance: Tensor) -> float:
    """Return the deviation of |x|; of x itself where that is 0 and the norm has no slope."""
    x = parameter.detach().flatten().to(covariance.dtype)
    length = float(x.norm())
    if length == 0.0:
        return float(covariance.trace().clamp_min(0.0).sqrt())
    return float((x @ covariance @ x).clamp_min(0.0).sqrt()) / length
