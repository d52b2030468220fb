"""Where the patches lie on the SLM, and patterns on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.types import FloatArray

Phase = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PatchLayout:
    """Patches in the order in which light meets them; shapes are (height, width) in SLM pixels.

    waist_mm: 1/e^2 radius of the beam, by the data sheet; infinite: even light.
    """

    panel_shape: tuple[int, int]
    patch_shape: tuple[int, int]
    top: int
    lefts: tuple[int, ...]
    pixel_pitch_um: float
    wavelength_nm: float
    gap_mm: float
    waist_mm: float = float("inf")

    def panel(self, patches: FloatArray) -> Phase:
        """Return the whole panel's pattern from patches (P, h, w); zero between them. Raises ValueError."""
        height, width = self.patch_shape
        if patches.shape != (len(self.lefts), height, width):
            raise ValueError(
                f"patches of shape {patches.shape}; needed is {(len(self.lefts), height, width)}"
            )
        whole = np.zeros(self.panel_shape, np.float32)
        for patch, left in zip(patches, self.lefts, strict=True):
            whole[self.top : self.top + height, left : left + width] = patch
        return whole

    def flat(self) -> Phase:
        """Return patches (P, h, w) of zero phase."""
        return np.zeros((len(self.lefts), *self.patch_shape), np.float32)

    def lens(
        self,
        row: float,
        column: float,
        gap_mm: float | None = None,
        radius_px: float | None = None,
        piston_rad: float = 0.0,
    ) -> Phase:
        """Return the phase (h, w) of a lens that focuses at (row, column) one gap away.

        Flat beyond radius_px, beyond the radius at which a pixel can no longer follow the slope
        (Nyquist), and beyond half a patch. Radians, source: parabolic lens, -pi r^2 / (lambda f).

        Args:
            row: of the focus.
            column: of the focus.
            gap_mm: focal length; None for the data sheet's gap.
            radius_px: of the lens.
            piston_rad: phase that is added to the lens alone.
        """
        height, width = self.patch_shape
        y = np.arange(height)[:, None] - row
        x = np.arange(width)[None, :] - column
        squared_um2 = (x**2 + y**2) * self.pixel_pitch_um**2
        gap_um = (self.gap_mm if gap_mm is None else gap_mm) * 1e3
        wavelength_um = self.wavelength_nm * 1e-3
        phase = piston_rad - np.pi * squared_um2 / (wavelength_um * gap_um)
        steepest = 0.9 * wavelength_um / (2 * self.pixel_pitch_um)
        radius_um = min(steepest * gap_um, 0.5 * self.pixel_pitch_um * min(height, width))
        if radius_px is not None:
            radius_um = min(radius_um, radius_px * self.pixel_pitch_um)
        return np.where(squared_um2 <= radius_um**2, phase, 0.0).astype(np.float32)
