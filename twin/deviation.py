"""From the covariance of all parameters to the deviations of the values that are shown."""

from __future__ import annotations

from torch import Tensor

from twin.digital_twin import DigitalTwin

SUMS = {"aberration_rad": "aberration_rms_rad", "ghost_percent": "ghost_rms_percent"}
"""Shown as the root of the sum of their squares, the others as the root of the mean."""
MEANS = {
    "source_modes_percent": "source_modes_rms_percent",
    "stroke_percent": "stroke_rms_percent",
    "bend_rad": "bend_rms_rad",
    "backplane_rad": "backplane_rms_rad",
}


def alignment_deviation(twin: DigitalTwin, covariance: Tensor) -> dict[str, float]:
    """One standard deviation of each value of `DigitalTwin.alignment`, by its names, to first order.

    covariance (P, P), in the order of `twin.alignment_fit.parameter_vector`.
    """
    shown = list(twin.alignment())
    found: dict[str, float] = {}
    first = 0
    for name, parameter in twin.named_parameters():
        block = covariance[first : first + parameter.numel(), first : first + parameter.numel()]
        first += parameter.numel()
        if name == "ghost_mrad":
            continue
        if name in SUMS:
            found[SUMS[name]] = _of_norm(parameter, block)
        elif name in MEANS:
            # Of the backplane's terms the squares are added, and averaged over the patches.
            count = len(parameter) if name == "backplane_rad" else parameter.numel()
            found[MEANS[name]] = _of_norm(parameter, block) / count**0.5
        else:
            spread = block.diagonal().clamp_min(0.0).sqrt().tolist()
            found |= dict(zip(_names(name, parameter), spread, strict=True))
    gap_mm = twin.geometry.z_gap_m * 1e3
    found["z_gap_mm"] = found.pop("z_gap_percent") / 100.0 * gap_mm
    return {name: found[name] for name in shown}


def _of_norm(parameter: Tensor, block: Tensor) -> float:
    """Deviation of |x|; of x itself where that is 0 and the norm has no slope."""
    x = parameter.detach().flatten().to(block.dtype)
    length = float(x.norm())
    if length == 0.0:
        return float(block.trace().clamp_min(0.0).sqrt())
    return float((x @ block @ x).clamp_min(0.0).sqrt()) / length


def _names(name: str, parameter: Tensor) -> list[str]:
    """As `DigitalTwin.alignment` calls the values of one parameter."""
    stem, _, unit = name.rpartition("_")
    match tuple(parameter.shape):
        case ():
            return [name]
        case (2,):
            return [f"{stem}_{axis}_{unit}" for axis in "xy"]
        case (2, 2) if name == "output_shear_percent":
            return [f"{stem}_{row}{column}_{unit}" for row in "xy" for column in "xy"]
        case (layers, 2):
            return [f"bounce{n}_{axis}_{unit}" for n in range(1, layers + 1) for axis in "xy"]
    raise ValueError(f"{name}: shown in no way that is known here")
