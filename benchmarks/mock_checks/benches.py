"""Benches and patterns that the checks share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from labdiff.bench.bench import Bench
from labdiff.bench.mock_bench import MockBench, mock_geometry
from labdiff.config.bench import load_bench
from mock_hardware.geometry import MockGeometry
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.settings import MockSettings

Phases = npt.NDArray[np.float32]

SMALL = MockGeometry(
    wavelength_nm=850.0,
    pixel_pitch_um=9.2,
    panel_shape=(64, 220),
    patch_shape=(48, 48),
    patch_top=8,
    patch_lefts=(8, 64, 120),
    z_gap_mm=5.7,
    waist_mm=0.3,
    input_kind="slm_patch",
    camera_shape=(96, 96),
    camera_pitch_um=3.45,
    camera_bit_depth=12,
    magnification=0.6,
)
"""Two layers of 48 x 48: for what is measured ten thousand times."""


def bench_geometry(name: str) -> MockGeometry:
    """Return the geometry of a shipped bench."""
    return mock_geometry(load_bench(name))


def lit(geometry: MockGeometry, dials: MockSettings, seed: int = 0) -> MockLaboratory:
    """Return a laboratory whose laser is on and whose shutter has opened."""
    lab = MockLaboratory.create(geometry, dials, seed)
    lab.laser.emission = True
    lab.world.clock.sleep_s(lab.laser.timing.total_ms * 1e-3)
    return lab


def laboratory_of(bench: Bench) -> MockLaboratory:
    """Return the mock laboratory behind a bench. Raises TypeError on another bench."""
    if not isinstance(bench, MockBench):
        raise TypeError("no mock laboratory behind this bench")
    return bench.laboratory


def panel_of(geometry: MockGeometry, phases: npt.NDArray[np.floating]) -> Phases:
    """Return a panel that shows the patches' phases (P, h, w) and is 0 elsewhere."""
    panel = np.zeros(geometry.panel_shape, np.float32)
    for place, phase in zip(geometry.patches, phases, strict=True):
        panel[place] = phase
    return panel


def block_phases(count: int, shape: tuple[int, int], block_px: int, seed: int) -> Phases:
    """Return phases (count, h, w) in blocks of 0 ... 2 pi."""
    rng = np.random.default_rng(seed)
    height, width = shape
    cells = rng.uniform(0.0, 2.0 * np.pi, (count, -(-height // block_px), -(-width // block_px)))
    blocks = cells.repeat(block_px, 1).repeat(block_px, 2)[:, :height, :width]
    return blocks.astype(np.float32)


def smooth_phases(
    count: int, shape: tuple[int, int], rms_rad: float, seed: int, width_px: float = 4.0
) -> Phases:
    """Return phases (count, h, w): Gaussian-filtered noise of a given rms, shifted to be positive."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, *shape))
    smooth = ndimage.gaussian_filter(noise, (0.0, width_px, width_px), mode="wrap")
    smooth *= rms_rad / smooth.std(axis=(1, 2), keepdims=True)
    phases: Phases = (smooth - smooth.min(axis=(1, 2), keepdims=True)).astype(np.float32)
    return phases


def nrmse(got: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> float:
    """Return |got - wanted| / |wanted|."""
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    return float(np.linalg.norm(got - wanted) / np.linalg.norm(wanted))
