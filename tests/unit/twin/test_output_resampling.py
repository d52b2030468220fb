"""Reading the output plane where the camera looks, and through what the relay lets pass."""

from __future__ import annotations

import pytest
import torch

from twin.output_resampling import resample
from twin.relay import RIM, aperture

NOTHING = (torch.zeros(2, 2), torch.zeros(2), torch.zeros(()))


def ripple(height: int, width: int, samples: int) -> torch.Tensor:
    """A smooth pattern on samples of pixels, (1, S h, S w)."""
    y = ((torch.arange(samples * height) + 0.5) / samples - 0.5)[:, None]
    x = ((torch.arange(samples * width) + 0.5) / samples - 0.5)[None, :]
    return (2.0 + torch.sin(y / 4.0) + torch.cos(x / 5.0))[None]


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_pixels_are_read_at_their_middle_whatever_the_samples(samples: int) -> None:
    got = resample(ripple(24, 30, samples), (24, 30), *NOTHING)[0, 3:-3, 3:-3]
    assert torch.allclose(got, ripple(24, 30, 1)[0, 3:-3, 3:-3], atol=2e-3)


def test_shift_shear_and_distortion_move_the_place_as_written() -> None:
    light = ripple(40, 40, 2)
    shear, shift = torch.tensor([[0.02, 0.01], [-0.01, -0.02]]), torch.tensor([1.5, -0.5])
    distortion = torch.tensor(0.01)
    got = resample(light, (40, 40), shear, shift, distortion)[0]
    for row, column in ((8, 30), (20, 20), (30, 11)):
        x, y = column - 19.5, row - 19.5
        swell = 0.01 * (x * x + y * y) / (2 * 20.0**2)
        at_x = column + 0.02 * x + 0.01 * y + swell * x + 1.5
        at_y = row - 0.01 * x - 0.02 * y + swell * y - 0.5
        expected = 2.0 + torch.sin(torch.tensor(at_y) / 4.0) + torch.cos(torch.tensor(at_x) / 5.0)
        assert float(got[row, column]) == pytest.approx(float(expected), abs=3e-3)


def test_the_aperture_passes_light_up_to_its_sine() -> None:
    assert bool((aperture((8, 8), 4.6e-6, 850e-9, 0.0) == 1.0).all()), "0 is open"
    passed = aperture((64, 64), 4.6e-6, 850e-9, 0.05)
    sine = 850e-9 * torch.fft.fftfreq(64, 4.6e-6).abs()
    assert bool((passed[0, sine < 0.05 * (1 - RIM)] == 1.0).all())
    assert bool((passed[0, sine > 0.05 * (1 + RIM)] == 0.0).all())
