"""The steep patterns bend light as far as the laws of gratings and lenses say."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from benchmarks.small_benches import small_bench_text
from benchmarks.twin_checks.steep_patterns import PERIOD_PX, grating, lens
from labdiff.bench.open import open_bench
from labdiff.config.bench import parse_bench
from labdiff.session.calibrated_bench import CalibratedBench


@pytest.fixture(scope="module")
def small() -> Iterator[CalibratedBench]:
    config = parse_bench(small_bench_text(24), "small bench")
    with open_bench(config, 3) as bench:
        yield CalibratedBench(config, bench)


def sines(calibrated: CalibratedBench, phase: Tensor, dim: int) -> Tensor:
    """Return the sines of the angles by which a phase (h, w) bends light, between neighbours along dim."""
    pitch_m = calibrated.config.slm.pixel_pitch_um * 1e-6
    wavelength_m = calibrated.config.source.wavelength_nm * 1e-9
    return phase.diff(dim=dim) * wavelength_m / (2.0 * math.pi * pitch_m)


def test_a_grating_bends_all_light_by_wavelength_over_period(small: CalibratedBench) -> None:
    geometry = small.twin.geometry
    order = geometry.wavelength_m / (PERIOD_PX * geometry.pixel_pitch_m)
    for seed in range(4):
        bent = [sines(small, grating(small, seed), dim) for dim in (0, 1)]
        steps = sorted(float(each.abs().max()) for each in bent)
        assert steps == pytest.approx([0.0, order], rel=1e-4)
        assert all(float(each.std()) < 1e-6 for each in bent)


def test_a_lens_sends_light_to_its_axis_after_two_gaps(small: CalibratedBench) -> None:
    pitch_m = small.config.slm.pixel_pitch_um * 1e-6
    focal_m = 2.0 * small.config.gap_mm * 1e-3
    bent = sines(small, lens(small), 1)
    between_m = pitch_m * (torch.arange(23) - 11.0)
    torch.testing.assert_close(bent[0], -between_m / focal_m, rtol=1e-3, atol=1e-7)
