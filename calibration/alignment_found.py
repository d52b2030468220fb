"""What an alignment found: every parameter of the twin, how well, and what the frames could not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from calibration.result import CalibrationResult, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
Panel: TypeAlias = tuple[Image, str, str, float, float]
"""A picture of a figure, its title, its colours, and the values at their ends."""
PANELS_IN_A_ROW = 5
SUREST = 15.0
"""Deviations at which the picture of a patch is brightest."""
LEAST_TOLD = 0.5
"""A parameter of which the prior says more than the frames do is not determined by them."""


def _none() -> Image:
    return np.zeros((0, 0), np.float32)


def _no_patches() -> Image:
    return np.zeros((0, 0, 0), np.float32)


def _unknown() -> Array:
    return np.zeros((0, 0))


def _no_frames() -> Array:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class AlignmentFound(CalibrationResult):
    """names (P,): the twin's parameters, units in the names, numbered where there are several.

    value, sigma, told (P,): what was found, its standard deviation, and the share of it that comes
    from the frames (`twin.alignment_fit.FitStep`); sigma contains what the bench file does not know of the
    wavelength and of the pitch. covariance (P, P): of all, with these as the bench file has them; empty if
    it was not stored. wavelength_gap_px2: wavelength * path between two patches / pitch^2 and its standard
    deviation, which is what frames tell of the gap; NaN if it was not stored. tilt_mrad,
    tilt_sigma_mrad (N + 1, 2): what light picks up at the input plane and at each layer, (x, y).
    held_out_d: discrepancy on probes that were not fitted.
    registration_matrix, registration_offset: as `calibration.registration.Registration` has them, with
    what the fit found about them. counts_per_ms_per_unit: counts of the camera in a millisecond where
    the twin says 1. probe_measured, probe_before, probe_after: (h, w) of one held-out probe, as the
    camera saw it, as the data sheet's twin had it, and as the aligned one has it. frame_scale,
    frame_offset (F,): of each held-out probe against the twin, in its unit. light_offset,
    light_scale_scatter, power_scatter, power_minute, gain_exponent, dark_change, clipped_light: as
    `calibration.steady_light` has them; NaN if they were not stored. residual_mean: (h, w) mean over sharp
    probes of camera less aligned twin, share of the mean light; patch_sureness: (P, h, w) deviations by
    which pixels of the patches seem wrong in all of them; empty where this was not looked for.
    """

    routine: ClassVar[str] = "alignment"
    title: ClassVar[str] = "Gap, tilts, beam: the twin is fitted to frames of known patterns"
    plotted: ClassVar[str] = "probe_measured"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {
        "value": (None,),
        "sigma": (None,),
        "told": (None,),
        "tilt_mrad": (None, 2),
        "tilt_sigma_mrad": (None, 2),
        "registration_matrix": (2, 2),
        "registration_offset": (2,),
        "covariance": (None, None),
        "frame_scale": (None,),
        "frame_offset": (None,),
        "probe_measured": (None, None),
        "probe_before": (None, None),
        "probe_after": (None, None),
        "residual_mean": (None, None),
        "patch_sureness": (None, None, None),
    }
    alike: ClassVar[tuple[str, ...]] = ("names", "value", "sigma", "told")

    names: tuple[str, ...] = field(compare=False)
    value: Array = field(compare=False)
    sigma: Array = field(compare=False)
    told: Array = field(compare=False)
    tilt_mrad: Array = field(compare=False)
    tilt_sigma_mrad: Array = field(compare=False)
    registration_matrix: Array = field(compare=False)
    registration_offset: Array = field(compare=False)
    counts_per_ms_per_unit: float
    held_out_d: float
    verdict: Verdict
    probe_measured: Image = field(default_factory=_none, compare=False)
    probe_before: Image = field(default_factory=_none, compare=False)
    probe_after: Image = field(default_factory=_none, compare=False)
    covariance: Array = field(default_factory=_unknown, compare=False)
    frame_scale: Array = field(default_factory=_no_frames, compare=False)
    frame_offset: Array = field(default_factory=_no_frames, compare=False)
    light_offset: float = np.nan
    light_scale_scatter: float = np.nan
    power_scatter: float = np.nan
    power_minute: float = np.nan
    gain_exponent: float = np.nan
    dark_change: float = np.nan
    clipped_light: float = np.nan
    wavelength_gap_px2: float = np.nan
    wavelength_gap_sigma_px2: float = np.nan
    residual_mean: Image = field(default_factory=_none, compare=False)
    patch_sureness: Image = field(default_factory=_no_patches, compare=False)

    @property
    def untold(self) -> tuple[str, ...]:
        """Parameters that were fitted and that the frames cannot tell from others."""
        fitted = zip(self.names, self.told, self.sigma, strict=True)
        return tuple(name for name, told, sigma in fitted if sigma > 0.0 and told < LEAST_TOLD)

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return a held-out probe as the camera, the data sheet's twin and the aligned twin have it."""
        from matplotlib.figure import Figure

        if not self.probe_measured.size:
            return None
        patches = list(self.patch_sureness)
        measured, before, after = self.probe_measured, self.probe_before, self.probe_after
        brightest = float(np.quantile(measured, 0.999))
        residuals = [before - measured, after - measured]
        limit = float(np.abs(residuals[0]).max())
        panels: list[Panel] = [
            (measured, "camera", "inferno", 0.0, brightest),
            (before, "twin by the data sheet", "inferno", 0.0, brightest),
            (residuals[0], "twin - camera, before", "coolwarm", -limit, limit),
            (after, "twin, aligned", "inferno", 0.0, brightest),
            (residuals[1], "twin - camera, after", "coolwarm", -limit, limit),
        ]
        if self.residual_mean.size:
            most = max(float(np.abs(self.residual_mean).max()), 1e-9)
            panels.append((self.residual_mean, "missed in all, share", "coolwarm", -most, most))
        for number, sure in enumerate(patches, 1):
            panels.append((sure, f"patch {number} wrong, deviations", "magma", 0.0, SUREST))
        rows = -(-len(panels) // PANELS_IN_A_ROW)
        figure = Figure(figsize=(11, 2.6 * rows), layout="constrained")
        axes = figure.subplots(rows, PANELS_IN_A_ROW, squeeze=False).ravel()
        for ax, (values, title, colours, low, high) in zip(axes, panels, strict=False):
            drawn = ax.imshow(values, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
            ax.set_title(title, fontsize=9)
            ax.set_xticks([]), ax.set_yticks([])
            figure.colorbar(drawn, ax=ax, shrink=0.7).ax.tick_params(labelsize=7)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        return figure
