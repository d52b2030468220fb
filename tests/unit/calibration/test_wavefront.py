"""Wavefront on a bench in the Fourier plane, against the truth that made its light."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from calibration.observed_slm import ObservedSLM
from calibration.registration import Registration, register
from calibration.result import Verdict
from calibration.result_file import read_result, write_result
from calibration.spots import BlazeSpots
from calibration.superpixel_fit import common_reference, smooth_map, unwrap
from calibration.wavefront import EXPOSURE_FRAMES, STEPS, Wavefront, measure_wavefront
from tests.unit.calibration.fourier_bench import PEDESTAL_COUNTS, FourierBench
from tests.unit.calibration.test_registration import result_of

Array = npt.NDArray[np.float64]
SIDE, BLOCKS = 48, (8, 8)
PLANE = BlazeSpots((SIDE, SIDE), (17.0, 17.0))
POINT = np.array([9.0, 8.0])


def light() -> tuple[Array, Array]:
    """Amplitude and phase of an off-centre beam with astigmatism, coma and defocus."""
    y, x = np.mgrid[:SIDE, :SIDE] / (SIDE / 2) - 1.0
    amplitude = np.exp(-(((y - 0.1) / 1.1) ** 2) - ((x + 0.15) / 1.0) ** 2)
    phase = 1.0 * (x**2 + y**2) + 0.8 * (x**2 - y**2) + 0.6 * x * (x**2 + y**2 - 0.7)
    return amplitude, phase


def bench(**options: float) -> FourierBench:
    return FourierBench(*light(), **options)  # type: ignore[arg-type]


def registration_of(device: FourierBench) -> Registration:
    return Registration(device.matrix, device.offset, 0.0, 0.0, Verdict("pass", ""))


def observed(device: FourierBench) -> ObservedSLM:
    return ObservedSLM(device, device, PEDESTAL_COUNTS, lambda: None)  # type: ignore[arg-type]


def wavefront_of(device: FourierBench, registration: Registration | None = None) -> Wavefront:
    return result_of(
        measure_wavefront(
            observed(device),
            PLANE,
            registration or registration_of(device),
            POINT,
            BLOCKS,
        )
    )


def test_a_noisy_camera_finds_phase_and_amplitude() -> None:
    device = bench()
    found = wavefront_of(device)
    amplitude, phase = light()
    weight = amplitude**2 / (amplitude**2).sum()
    error = found.phase_rad - phase
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    design = np.stack([np.ones_like(y), y, x]).reshape(3, -1)
    tilt = np.linalg.solve((design * weight.ravel()) @ design.T, design @ (weight * error).ravel())
    error -= (tilt @ design).reshape(error.shape)
    assert np.sqrt((weight * error**2).sum()) < 0.07
    scale = (found.amplitude * amplitude).sum() / (found.amplitude**2).sum()
    assert np.linalg.norm(scale * found.amplitude - amplitude) < 0.05 * np.linalg.norm(amplitude)
    assert found.verdict.level == "pass", found.verdict.reason
    flat = np.abs((amplitude * np.exp(1j * phase)).sum()) ** 2 / amplitude.sum() ** 2
    assert found.strehl == pytest.approx(flat, abs=0.05)
    blocks = BLOCKS[0] * BLOCKS[1] - 1
    assert device.requests <= EXPOSURE_FRAMES + STEPS * blocks + 2
    assert device.exposure_ms == 1e-2


@pytest.mark.parametrize("lit", [True, False])
def test_without_light_or_with_a_frozen_slm_there_is_no_wavefront(lit: bool) -> None:
    device = bench()
    device.lit, device.frozen = lit, lit
    found = wavefront_of(device)
    assert found.verdict.level == "fail"
    assert "laser" in found.verdict.remedy


def test_a_spot_off_the_camera_and_a_missing_registration_are_refused() -> None:
    device = bench()
    away = Registration(device.matrix, device.offset + 500.0, 0.0, 0.0, Verdict("pass", ""))
    assert "off the camera" in wavefront_of(device, away).verdict.reason
    nan = np.full((2, 2), np.nan)
    none = Registration(nan, nan[0], 0.0, 0.0, Verdict("fail", ""))
    assert "no registration" in wavefront_of(device, none).verdict.reason


def test_this_bench_registers_too() -> None:
    device = FourierBench(np.ones((SIDE, SIDE)), np.zeros((SIDE, SIDE)))
    # Its spots are two pixels wide: a dozen have room.
    found = result_of(register(observed(device), PLANE, 12))
    assert found.verdict.level == "pass", found.verdict.reason
    corners = np.array([(-17.0, -17.0), (-17.0, 17.0), (17.0, -17.0), (17.0, 17.0)])
    true = corners @ device.matrix.T + device.offset
    assert np.abs(found.plane_to_camera(corners) - true).max() < 0.1


def test_factors_are_found_though_the_reference_is_unknown() -> None:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal(20) + 1j * rng.standard_normal(20)
    templates = np.exp(1j * rng.uniform(0, 6.28, (20, 200)))
    reference = rng.standard_normal(200) + 1j * rng.standard_normal(200)
    found, _, sigma = common_reference(factors[:, None] * templates * reference.conj(), templates)
    ratio = found / factors
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
    assert sigma.max() < 1e-6


def test_jumps_are_undone_and_a_smooth_surface_is_found_again() -> None:
    y, x = np.mgrid[:12, :12] / 6.0 - 11.0 / 12.0
    surface = 5.0 * x**2 - 4.0 * x * y + 3.0 * y
    wrapped = np.angle(np.exp(1j * surface))
    wrapped[6, 6] = np.nan
    flat = unwrap(wrapped, np.exp(-(x**2) - y**2))
    turns = (flat - surface)[np.isfinite(flat)] / (2.0 * np.pi)
    np.testing.assert_allclose(turns, turns[0], atol=1e-9)
    found, held_out, order = smooth_map(flat, np.full(flat.shape, 0.01), (12, 12))
    assert order >= 2
    assert held_out < 1e-9
    np.testing.assert_allclose(found - found[0, 0], surface - surface[0, 0], atol=1e-6)


def test_a_wavefront_survives_the_archive(tmp_path: Path) -> None:
    written = Wavefront(
        np.ones((4, 5)), np.ones((4, 5)), 0.01, 0.02, 0.03, 0.9, 0.01, Verdict("pass", "a")
    )
    with h5py.File(tmp_path / "wavefront.h5", "w") as file:
        write_result(file.create_group("wavefront"), written)
        again = read_result(file["wavefront"])
    assert again == written
    assert isinstance(again, Wavefront)
    np.testing.assert_array_equal(again.phase_rad, written.phase_rad)
