from __future__ import annotations

import itertools

import numpy as np
import pytest

from gui.slm_patterns.phase_patterns import (
    NOLL,
    blaze,
    checkerboard,
    lens,
    shortest_focal_mm,
    zernike,
)


def far_field(phase: np.ndarray) -> np.ndarray:
    """Share of the light in each bin of fftfreq."""
    intensity = np.abs(np.fft.fft2(np.exp(1j * phase.astype(np.float64)))) ** 2
    return intensity / intensity.sum()


@pytest.mark.parametrize(
    ("period_px", "angle_deg", "row", "column"),
    [(8.0, 0.0, 0, 8), (-8.0, 0.0, 0, -8), (16.0, 90.0, 4, 0), (4.0, 180.0, 0, -16)],
)
def test_a_blaze_sends_all_light_into_its_order(
    period_px: float, angle_deg: float, row: int, column: int
) -> None:
    assert far_field(blaze((64, 64), period_px, angle_deg))[row, column] == pytest.approx(1.0)


def test_a_checkerboard_of_pi_empties_the_zero_order() -> None:
    light = far_field(checkerboard((64, 64), 4))
    assert light[0, 0] == pytest.approx(0.0, abs=1e-12)
    # The first orders lie at half a period of 8 pixels in each direction: (2 / pi)^4 of a square wave
    # in continuous space, 1 / (4 sin^2(pi / 8))^2 / 4 in pixels of a fourth of a cell.
    closed = (2.0 / (8.0 * np.sin(np.pi / 8.0))) ** 4
    for row, column in itertools.product((8, -8), repeat=2):
        assert light[row, column] == pytest.approx(closed, rel=1e-6)


def test_the_phase_of_the_checkerboard_is_the_contrast() -> None:
    board = checkerboard((6, 8), 2, 1.5)
    assert board[0, 0] == board[2, 2] == 0.0 and board[0, 2] == board[3, 1] == np.float32(1.5)


def test_a_lens_focuses_at_its_focal_length() -> None:
    side, pitch_um, wavelength_nm, focal_mm = 256, 8.0, 633.0, 60.0
    assert focal_mm > shortest_focal_mm((side, side), wavelength_nm, pitch_um)
    frequency = np.fft.fftfreq(side, pitch_um * 1e-6)
    square = frequency[:, None] ** 2 + frequency[None, :] ** 2
    field = np.fft.fft2(np.exp(1j * lens((side, side), focal_mm, wavelength_nm, pitch_um)))

    def brightest(z_m: float) -> float:
        paraxial = np.exp(-1j * np.pi * wavelength_nm * 1e-9 * z_m * square)
        return float((np.abs(np.fft.ifft2(field * paraxial)) ** 2).max())

    found = {z_mm: brightest(z_mm * 1e-3) for z_mm in np.linspace(50.0, 70.0, 21)}
    assert max(found, key=lambda z: found[z]) == pytest.approx(focal_mm, abs=1.0)
    # A square aperture of side a: a^4 / (wavelength f)^2 sinc^2 sinc^2, half a pixel off in x and in y.
    aperture_m, spread_m2 = side * pitch_um * 1e-6, wavelength_nm * 1e-9 * focal_mm * 1e-3
    off = np.sinc(aperture_m * 0.5 * pitch_um * 1e-6 / spread_m2)
    assert found[60.0] == pytest.approx(aperture_m**4 / spread_m2**2 * off**4, rel=0.01)


def test_the_shortest_lens_has_pi_a_pixel_at_the_edge() -> None:
    focal_mm = shortest_focal_mm((100, 300), 850.0, 9.2)
    row = lens((100, 300), focal_mm, 850.0, 9.2)[50].astype(np.float64)
    assert np.abs(np.diff(row)).max() == pytest.approx(np.pi, rel=0.01)


def test_zernike_polynomials_are_orthonormal_on_the_circle() -> None:
    side = 401
    rows, columns = np.indices((side, side)) - (side - 1) / 2.0
    circle = np.hypot(rows, columns) <= side / 2.0
    modes = [zernike((side, side), {j: 0.5 / np.pi})[circle] for j in range(1, len(NOLL) + 1)]
    gram = np.array([[float((a * b).mean()) for a in modes] for b in modes])
    np.testing.assert_allclose(gram, np.eye(len(NOLL)), atol=0.02)


def test_a_tilt_of_a_wave_rms_is_four_waves_across() -> None:
    tilt = zernike((101, 101), {2: 1.0})[50] / (2.0 * np.pi)
    assert tilt[-1] - tilt[0] == pytest.approx(4.0 * 100 / 101, rel=1e-5)
    rows = zernike((101, 101), {3: 1.0})[:, 50]
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: blaze((8, 8), 1.0), "2 or more"),
        (lambda: checkerboard((8, 8), 0), "1 or more"),
        (lambda: lens((8, 8), 0.0, 850.0, 9.2), "0 mm"),
        (lambda: zernike((8, 8), {12: 1.0}), "1 ... 11"),
    ],
)
def test_values_that_mean_nothing(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
