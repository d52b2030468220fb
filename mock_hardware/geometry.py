"""The nominal geometry of a mock bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MockGeometry:
    """What the bench file says; shapes are (height, width).

    patch_lefts: first column of each patch, in the order in which light meets them; with
    input_kind "slm_patch" the first of them writes the input.
    """

    wavelength_nm: float
    pixel_pitch_um: float
    panel_shape: tuple[int, int]
    patch_shape: tuple[int, int]
    patch_top: int
    patch_lefts: tuple[int, ...]
    z_gap_mm: float
    waist_mm: float
    input_kind: Literal["slm_patch", "dmd"]
    camera_shape: tuple[int, int]
    camera_pitch_um: float
    camera_bit_depth: int
    magnification: float
    slm_bit_depth: Literal[8, 10] = 8

    @property
    def layers(self) -> int:
        """Number of modulation layers N."""
        return len(self.patch_lefts) - (1 if self.input_kind == "slm_patch" else 0)

    @property
    def patches(self) -> tuple[tuple[slice, slice], ...]:
        """Rows and columns of each patch on the panel."""
        height, width = self.patch_shape
        rows = slice(self.patch_top, self.patch_top + height)
        return tuple((rows, slice(left, left + width)) for left in self.patch_lefts)
