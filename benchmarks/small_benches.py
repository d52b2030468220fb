"""Bench files of small benches: the shipped mock bench with patches of fewer pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labdiff.config.bench import bench_text
from labdiff.sweep.bench_overrides import override_values

SHIPPED_SIDE_PX = 100
MARGIN_PX, BETWEEN_PX = 4, 20
"""Pixels from the panel's rim to a patch, and from a patch to the next."""
CALIBRATED_SIDE_PX = 60
"""Side of the smallest patch of which the calibrations find everything."""


def small_bench_text(
    side_px: int, layers: int = 2, changes: Mapping[str, Any] | None = None
) -> str:
    """Return a bench file with patches of side x side, all imperfections on.

    The Fresnel number is the shipped bench's, and the beam is as large on the patch. One sample a pixel
    and one thread.

    Args:
        side_px: Side of a patch.
        layers: How many planes follow the input's.
        changes: Values of other keys, as "cavity.z_gap_mm".
    """
    share = side_px / SHIPPED_SIDE_PX
    lefts = [MARGIN_PX + (side_px + BETWEEN_PX) * plane for plane in range(layers + 1)]
    values: dict[str, Any] = {
        "cavity.patch_shape": [side_px, side_px],
        "cavity.patch_top": MARGIN_PX,
        "cavity.patch_lefts": lefts,
        "cavity.z_gap_mm": 5.7 * share**2,
        "source.waist_mm": 0.6 * share,
        "slm.shape": [side_px + 2 * MARGIN_PX, lefts[-1] + side_px + MARGIN_PX],
        "camera.shape": [round(2.2 * side_px), round(2.4 * side_px)],
        "mock.samples_per_pixel": 1,
        "mock.threads": 1,
    }
    return override_values(bench_text("mock")[1], values | dict(changes or {}))


def calibrated_bench_text() -> str:
    """Return the smallest bench that can be calibrated: two layers of 60 x 60, seconds a calibration."""
    gap_mm = 5.7 * CALIBRATED_SIDE_PX / SHIPPED_SIDE_PX
    return small_bench_text(CALIBRATED_SIDE_PX, 2, {"cavity.z_gap_mm": gap_mm})
