"""The discrepancy that frames show by their own noise, against frames of the mock and a plain sum."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.frame_noise import FrameNoise
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.types import Roi
from mock_hardware.settings import MockSettings
from tests.support.mock_bench import GEOMETRY, LAYOUT, laboratory
from tests.support.small_bench import small_bench, straight


def test_noise_of_rectified_pixels_is_that_of_white_noise_rectified() -> None:
    turn = np.deg2rad(5.0)
    matrix = 1.3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    registration = Registration(matrix, np.array([20.3, 17.6]), 0.0, 0.0, Verdict("pass", ""))
    rectifier = Rectifier(registration, Roi(0, 0, 80, 80), (24, 24))
    noise = np.random.default_rng(0).standard_normal((4000, 80, 80)).astype(np.float32)
    variance = rectifier(noise).var(axis=0)
    # A variance of 4000 frames is known to 2.2 %.
    assert np.abs(variance / rectifier.noise_gain - 1.0).max() < 0.12
    assert variance.mean() == pytest.approx(rectifier.noise_gain.mean(), rel=0.01)
    assert 0.3 < rectifier.noise_gain.min() < rectifier.noise_gain.max() <= 1.0 + 1e-6


def test_floor_is_what_frames_of_one_pattern_differ_by() -> None:
    effects = ("camera.shot_noise", "camera.read_noise_electrons", "camera.pedestal")
    settings = MockSettings(threads=1).only(*effects)
    lab = laboratory(3, settings, exposure_ms=2.0)
    lab.slm.set_phase(LAYOUT.panel(np.random.default_rng(5).uniform(0.0, 4.0, (5, 100, 100))))
    lab.world.clock.sleep_s(0.1)
    rectifier = Rectifier(straight(LAYOUT, (256, 320), 0.6), lab.camera.roi, (100, 100))
    frames = np.stack([lab.camera.get_frame().pixels for _ in range(24)]).astype(np.float32)
    plane = rectifier(frames - lab.world.truth.pedestal_counts)
    noise = FrameNoise(10_000.0 / 2**GEOMETRY.camera_bit_depth, 5.0 * 4096 / 10_000)
    stated = noise.discrepancy(plane, rectifier)

    centred = (plane - plane.mean(axis=(1, 2), keepdims=True)).reshape(len(plane), -1)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    # Two frames agree by C^2 if each agrees by C with the light.
    between = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    assert 1.0 - np.sqrt(between.mean()) == pytest.approx(stated.mean(), rel=0.03)
    assert stated.std() < 0.05 * stated.mean()


def test_measure_gives_the_floor_once_the_noise_is_known() -> None:
    with small_bench("slm_patch") as (_, bench):
        inputs, layers = np.zeros((2, 16, 16)), np.zeros((2, 16, 16))
        assert np.isnan(bench.measure(inputs, layers).noise_floor).all()
        bench.noise = FrameNoise(2.4, 2.0)
        first = bench.measure(inputs, layers).noise_floor
        bench.noise = FrameNoise(2.4, 20.0)
        assert (bench.measure(inputs, layers).noise_floor > first).all()
        assert (first > 0.0).all()
