"""Figures of a frame against the wanted intensity: efficiency, error, uniformity."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from labdiff.holograms.target import HologramTarget, spot_masks, within


@dataclass(frozen=True, slots=True)
class HologramFigures:
    """How good a frame is.

    Attributes:
        efficiency: Share of the output plane's light that falls into the region.
        nrmse: Root mean square of scale * frame - target in the region, over that of the target.
            The scale is the best one.
        psnr_db: 20 log10 of the target's largest value over the same root mean square.
        in_spots: Share of the output plane's light that falls into spots; NaN for a picture.
        uniformity: 1 - (max - min) / (max + min) of the spots' light over their weights; NaN for a picture.
    """

    efficiency: float
    nrmse: float
    psnr_db: float
    in_spots: float = math.nan
    uniformity: float = math.nan

    def plain(self) -> dict[str, float | None]:
        """Return the figures by name; None for what is not defined, as JSON has no NaN."""
        return {
            name: value if math.isfinite(value) else None for name, value in asdict(self).items()
        }


def hologram_figures(frame: npt.NDArray[np.floating], target: HologramTarget) -> HologramFigures:
    """Return the figures of a frame (h, w) of the output plane, in any unit of intensity."""
    seen = np.asarray(frame, np.float64)
    light = float(seen.sum())
    inside, wanted = within(target.region, seen), np.asarray(target.wanted, np.float64)
    scale = float((inside * wanted).sum() / max(float((inside**2).sum()), 1e-30))
    error = math.sqrt(float(np.mean((scale * inside - wanted) ** 2)))
    rms = math.sqrt(float(np.mean(wanted**2)))
    psnr_db = 20.0 * math.log10(float(wanted.max()) / error) if error > 0.0 else math.inf
    efficiency = float(inside.sum()) / light if light > 0.0 else 0.0
    if target.spots is None:
        return HologramFigures(efficiency, error / rms, psnr_db)
    powers = (spot_masks(target.spots, seen.shape) * seen).sum((1, 2))
    in_spots = float(powers.sum()) / light if light > 0.0 else 0.0
    weighed = powers / target.spots[:, 2]
    most, least = float(weighed.max()), float(weighed.min())
    uniformity = 1.0 - (most - least) / (most + least) if most + least > 0.0 else 0.0
    return HologramFigures(efficiency, error / rms, psnr_db, in_spots, uniformity)


def correlation(seen: Tensor, wanted: Tensor) -> float:
    """Return the normalised product of two intensities (h, w), 1 for equal ones up to scale."""
    return float((seen * wanted).sum() / (seen.norm() * wanted.norm()))
