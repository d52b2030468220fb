"""Effects of the mock that the twin has no parameter for, each against its closed form."""

from __future__ import annotations

import numpy as np
import pytest

from mock_hardware.geometry import MockGeometry
from mock_hardware.light_path import LightPath
from mock_hardware.settings import MockSettings
from mock_hardware.truth import draw_truth

GEOMETRY = MockGeometry(
    850.0, 9.2, (40, 120), (20, 24), 6, (2, 32, 62, 92), 5.7, 0.3, "slm_patch",
    (30, 36), 3.45, 12, 0.6,
)  # fmt: skip
FLAT = np.zeros((20, 24), np.float32)


def light_path(effect: str, value: float) -> LightPath:
    section, name = effect.split(".")
    dialled = MockSettings.model_validate({section: {name: value}, "samples_per_pixel": 1})
    settings = dialled.only(effect)
    return LightPath(GEOMETRY, settings, draw_truth(GEOMETRY, settings, seed=4))


def test_phase_noise_weakens_what_all_pixels_have_in_common() -> None:
    # The mean of exp(j phi) of a normal phi of rms s is exp(-s^2 / 2): the Strehl ratio's root.
    sigma = 0.5
    panel = light_path("slm.phase_noise_rad", sigma).panel
    phases = np.stack([panel.phase(patch, np.zeros((20, 24), np.uint8)) for patch in range(4)])
    assert abs(np.exp(1j * phases).mean()) == pytest.approx(np.exp(-(sigma**2) / 2.0), abs=0.02)
    assert phases.std() == pytest.approx(sigma, rel=0.05)


def test_fringing_growth_draws_a_pixel_to_its_neighbours_by_more_the_farther_it_is() -> None:
    share = 0.3 / (2.0 * np.pi)
    panel, without = (light_path("slm.fringing_growth", g).panel for g in (0.3, 0.0))
    for step in (0.5, 1.0, 2.0):
        phase, drawn = FLAT.copy(), FLAT.copy()
        phase[10, 12] = step
        # The four neighbours' mean is 0; a neighbour's own is a quarter of the step.
        drawn[10, 12] = step - share * step**2
        drawn[[9, 11, 10, 10], [12, 12, 11, 13]] = share * (step / 4.0) ** 2
        found, expected = panel.light(0, phase).at(0.0), without.light(0, drawn).at(0.0)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    even = np.full_like(FLAT, 2.0)
    np.testing.assert_allclose(panel.light(0, even).at(0.0), without.light(0, even).at(0.0))


def test_stray_light_interferes_with_what_the_patterns_send() -> None:
    amplitude = 0.2
    path, without = light_path("relay.stray", amplitude), light_path("relay.stray", 0.0)
    phases = np.zeros((4, 20, 24), np.float32)
    light, alone = path.plane(phases), without.plane(phases)
    inside = np.s_[6:-6, 6:-6]
    # |u + s|^2 - |u|^2 lies between s^2 - 2 |u| s and s^2 + 2 |u| s, and reaches far beyond s^2.
    change, most = (light - alone)[inside], 2.0 * np.sqrt(alone[inside]) * amplitude
    assert np.all(np.abs(change - amplitude**2) <= most + 1e-4)
    assert np.abs(change).max() > 3.0 * amplitude**2
