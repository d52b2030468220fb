from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from labdiff.data.image_set import load_images
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.metrics.baselines import WienerDenoiser, WienerFilter, identity_prediction
from labdiff.metrics.range_error import clean_image, mean_error, noisy_range, range_errors

SCHEDULE = NoiseSchedule()
IMAGES = 2 * torch.rand(40, 5, 5, generator=torch.Generator().manual_seed(0)) - 1


def test_an_image_that_is_known_has_no_error_in_any_range() -> None:
    """Both ways between noise and clean image, at the least and the largest abar."""
    black = torch.full((10, 5, 5), -1.0)

    def knowing(x_t: Tensor, t: Tensor) -> Tensor:
        abar = SCHEDULE.alphas_bar[t].view(-1, 1, 1)
        return (x_t + abar.sqrt()) / (1.0 - abar).sqrt()

    errors = range_errors(knowing, black, SCHEDULE, count=60)
    assert [(e.first_t, e.end_t) for e in errors] == [(a, a + 100) for a in range(0, 1000, 100)]
    assert errors[0].noise_mse is None
    assert all(e.noise_mse is not None and e.noise_mse.value < 1e-6 for e in errors[1:])
    assert all(e.clean_mse.value < 1e-6 for e in errors)


def test_clean_error_is_the_noise_error_times_its_magnification() -> None:
    """As long as nothing is clamped: (1 - abar) / abar."""
    grey, t = torch.zeros(1, 5, 5), 300
    abar = SCHEDULE.abar(t)

    def off_by_a_tenth(x_t: Tensor, t: Tensor) -> Tensor:
        return x_t / (1.0 - SCHEDULE.alphas_bar[t].view(-1, 1, 1)).sqrt() + 0.1

    (error,) = range_errors(off_by_a_tenth, grey, SCHEDULE, (t, t + 1), count=3)
    assert error.noise_mse is not None
    assert error.noise_mse.value == pytest.approx(0.01, rel=1e-4)
    assert error.clean_mse.value == pytest.approx(0.01 * (1 - abar) / abar, rel=1e-4)


def test_clean_images_are_clamped() -> None:
    x_t = torch.randn(4, 5, 5, generator=torch.Generator().manual_seed(1))
    clean = clean_image(x_t, torch.zeros(4, 5, 5), torch.full((4,), 999), SCHEDULE)
    assert float(clean.abs().max()) == 1.0
    assert torch.equal(clean.sign(), x_t.double().sign())


def test_standard_error_is_that_of_independent_images() -> None:
    each = torch.randn(400, 1, 1, generator=torch.Generator().manual_seed(0))
    found = mean_error(each)
    assert found.value == pytest.approx(1.0, abs=4 * found.standard_error)
    assert found.standard_error == pytest.approx((2 / 400) ** 0.5, rel=0.3)


def test_noisy_images_are_seeded_spread_and_none_twice_before_all_once() -> None:
    noisy = noisy_range(IMAGES, SCHEDULE, 200, 250, 100, seed=3)
    again = noisy_range(IMAGES, SCHEDULE, 200, 250, 100, seed=3)
    assert torch.equal(noisy.x_t, again.x_t)
    assert sorted(set(noisy.t.tolist())) == list(range(200, 250))
    assert len({tuple(image.flatten().tolist()) for image in noisy.clean[:40]}) == 40
    np.testing.assert_allclose(noisy.noise.mean(), 0.0, atol=0.1)


@pytest.mark.parametrize("edges", [(5, 5), (-1, 10), (990, 1001)])
def test_ranges_outside_the_schedule_are_refused(edges: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"do not lie in 0 \.\.\. 1000"):
        range_errors(lambda x_t, _: x_t, IMAGES, SCHEDULE, edges)


def test_the_filter_that_knows_t_bounds_the_linear_denoisers() -> None:
    """On the images of which it knows the moments; one map a stretch and identity are linear too."""
    images = load_images("digits", 8, (0, 1, 2)).train
    exact = range_errors(WienerFilter(images, SCHEDULE), images, SCHEDULE, count=300)
    stretch = range_errors(WienerDenoiser(images, SCHEDULE), images, SCHEDULE, count=300)
    identity = range_errors(lambda x_t, _: identity_prediction(x_t), images, SCHEDULE, count=300)
    for best, second, third in zip(exact, stretch, identity, strict=True):
        assert best.clean_mse.value < 1.01 * second.clean_mse.value < third.clean_mse.value
        if best.noise_mse and second.noise_mse and third.noise_mse:
            assert best.noise_mse.value < 1.01 * second.noise_mse.value < third.noise_mse.value


def test_wiener_filter_is_the_conditional_mean_of_gaussian_images() -> None:
    """One pixel of variance v: E[eps | x] = sqrt(1 - abar) (x - sqrt(abar) m) / (abar v + 1 - abar)."""
    images = torch.tensor([-0.9, -0.1, 0.4]).view(3, 1, 1)
    mean, variance = float(images.mean()), float(images.var(correction=0))
    x_t, t = torch.tensor([0.7]).view(1, 1, 1), torch.tensor([350])
    abar = SCHEDULE.abar(350)
    expected = (1 - abar) ** 0.5 * (0.7 - abar**0.5 * mean) / (abar * variance + 1 - abar)
    assert float(WienerFilter(images, SCHEDULE)(x_t, t)) == pytest.approx(expected, rel=1e-5)
