"""The efficiency table against closed forms and against what the paper prints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.types import CameraTiming, Timing
from labdiff.bench.open import open_bench
from labdiff.bench.timing import DeclaredTiming
from labdiff.config.bench import load_bench
from labdiff.reproduce.digital_denoisers.architectures import build_denoiser
from labdiff.reproduce.efficiency import (
    L4_POWER_W,
    PRINTED_DENOISERS,
    agreement,
    declared_odu,
    modelled_odu,
    odu_parameters,
    paper_rows,
)
from labdiff.reproduce.measured_efficiency import frames_per_s, measured_denoiser, simulated_odu


def test_the_modelled_unit_gives_the_papers_figures() -> None:
    odu, one_to_one = modelled_odu()
    assert odu.images_per_s == pytest.approx(23.0)
    assert odu.energy_j == pytest.approx(0.23, rel=0.01)
    assert one_to_one.energy_j == pytest.approx(15e-3, rel=0.02)
    # Four layers of 300 x 300 for each of ten timestep ranges.
    assert odu.parameters == odu_parameters(4, (300, 300)) == 3_600_000
    assert one_to_one.multiply_adds_a_step == 400


def test_the_papers_own_rows_agree_with_the_power_of_its_gpu() -> None:
    rate, energy_j = PRINTED_DENOISERS["fully connected net"]
    assert rate is not None
    assert agreement(L4_POWER_W / rate, energy_j) == "agrees"
    rate, energy_j = PRINTED_DENOISERS["U-Net"]
    assert rate is not None
    assert agreement(L4_POWER_W / rate, energy_j) == "3.5% less"
    assert {row.kind for row in paper_rows()} == {"paper"}


CAMERA = CameraTiming(latency_ms=0.1, duration_ms=1.9, readout_ms=1.2, period_ms=1.0)


def test_a_bench_with_a_dmd_writes_its_layers_once_a_batch() -> None:
    timing = DeclaredTiming(slm_ms=30.0, camera=CAMERA, dmd=Timing(0.3, 0.2))
    # The read-out of the frame before takes longer than the mirrors; then trigger and exposure.
    assert timing.frame_ms == pytest.approx(1.2 + 0.1 + 0.7)
    assert timing.batch_ms(50) == pytest.approx(50 * 2.0 + 30)
    assert timing.batch_ms(50, layers_differ=True) == pytest.approx(50 * 32.0)
    assert timing.image_ms(1000, 10, batch=1) == pytest.approx(2000 + 300)
    assert timing.image_ms(1000, 10, batch=100) == pytest.approx(2000 + 3)
    slow_camera = replace(timing, camera=replace(CAMERA, period_ms=4.0))
    assert slow_camera.image_ms(1000, 10, batch=100) == pytest.approx(4003)


def test_triggered_exposures_overlap_the_read_out_if_the_camera_can() -> None:
    timing = DeclaredTiming(slm_ms=30.0, camera=CAMERA, dmd=Timing(0.3, 0.2), triggered=True)
    assert timing.frame_ms == pytest.approx(0.5 + 0.1 + 0.7)
    one_after_the_other = replace(timing, camera=replace(CAMERA, period_ms=1.9))
    assert one_after_the_other.frame_ms == pytest.approx(1.9)


def test_a_bench_without_a_dmd_writes_the_slm_for_every_image_and_step() -> None:
    timing = DeclaredTiming(slm_ms=30.0, camera=CAMERA)
    assert timing.batch_ms(10) == timing.batch_ms(10, layers_differ=True) == pytest.approx(308)
    for batch in (1, 100):
        assert timing.image_ms(1000, 10, batch) == pytest.approx(30_800)


@pytest.mark.parametrize(("name", "window"), [("mock", 160), ("mock-paper", 130)])
def test_a_bench_file_gives_rate_and_parameters_and_no_energy(name: str, window: int) -> None:
    config = load_bench(name)
    with open_bench(config, 0) as bench:
        row = declared_odu(config, bench, batch=100)
        slm_s = bench.slm.timing.total_ms / 1e3
        exposed_s = (0.02 + bench.camera.exposure_ms) / 1e3
        # The paper's camera gives 522 frames/s, and its DMD needs far less.
        image_s = 1000 * (slm_s + exposed_s) if bench.dmd is None else 1000 / 522 + 10 * slm_s / 100
    assert row.kind == "modelled" and row.energy_j is None
    assert row.images_per_s == pytest.approx(1.0 / image_s)
    assert row.parameters == 10 * 4 * config.cavity.patch_shape[0] ** 2
    assert row.multiply_adds_a_step == window**2 + 400


def test_energy_is_there_only_if_a_power_was_stated() -> None:
    net = build_denoiser("fully connected net", (8, 8), width=16, working_size=8)
    without = measured_denoiser(net, batch=4, repeats=2, watts=None)
    assert without.kind == "measured here" and without.energy_j is None
    assert "W" not in without.basis
    stated = measured_denoiser(net, batch=4, repeats=2, watts=50.0)
    assert stated.energy_j is not None and stated.images_per_s is not None
    assert stated.energy_j * stated.images_per_s == pytest.approx(50.0)
    assert "50 W as stated" in stated.basis


def test_the_simulated_bench_is_called_so_and_has_no_energy() -> None:
    config = load_bench("mock")
    with open_bench(config, 0) as bench:
        row = simulated_odu(config, bench, frames=2)
        assert frames_per_s(bench, frames=2) > 0.0
    assert row.system == "simulated bench mock on this computer"
    assert row.kind == "measured here" and row.energy_j is None
