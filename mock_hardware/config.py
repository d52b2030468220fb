"""What a mock laboratory is made of: the data sheet, and the dials of what it hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MockGeometry:
    """The bench as its bench file describes it; shapes are (height, width)."""

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


@dataclass(frozen=True, slots=True)
class MockImperfections:
    """How far the real bench is from its data sheet. Each figure is a standard deviation.

    imperfections: "none" sets every geometric error and every noise to zero.
    camera_unplugged_after_frames: the camera is gone after so many frames; None: never.
    """

    imperfections: Literal["random", "none"] = "random"
    camera_unplugged_after_frames: int | None = None
    gap_error: float = 0.015
    beam_tilt_mrad: float = 1.5
    mirror_tilt_mrad: float = 1.0
    bounce_tilt_mrad: float = 0.1
    beam_offset_um: float = 30.0
    waist_error: float = 0.05
    magnification_error: float = 0.01
    rotation_deg: float = 0.7
    camera_offset_px: float = 3.0
    full_well_electrons: float = 10_000.0
    read_noise_electrons: float = 5.0
    pedestal_fraction: float = 0.02
