from __future__ import annotations

import torch

from labdiff.data.image_set import load_images
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.metrics.baselines import WienerDenoiser, identity_prediction
from labdiff.metrics.noise_error import held_out_noisy, mse_of, noise_mse


def test_wiener_is_not_beaten_by_a_linear_fit_to_drawn_noise() -> None:
    """Independent of its closed form: ridge regression on drawn pairs must not do better."""
    images, schedule = load_images("digits", 8, (0, 1, 2)), NoiseSchedule()
    rng = torch.Generator().manual_seed(3)
    t = torch.randint(400, 500, (20_000,), generator=rng)
    clean = images.train[torch.randint(len(images.train), (20_000,), generator=rng)]
    noise = torch.randn(clean.shape, generator=rng)
    x_t = schedule.add_noise(clean, noise, t)
    design = torch.cat([x_t.flatten(1), torch.ones(len(x_t), 1)], 1)
    fit = torch.linalg.lstsq(design, noise.flatten(1)).solution
    fitted = float((design @ fit - noise.flatten(1)).square().mean())
    wiener = noise_mse(WienerDenoiser(images.train, schedule)(x_t, t), noise)
    assert wiener <= fitted * 1.02


def test_wiener_beats_identity_on_held_out_images() -> None:
    images, schedule = load_images("digits", 10, (0, 1, 2)), NoiseSchedule()
    noisy = held_out_noisy(images.test, schedule, 1000, seed=0)
    wiener = mse_of(WienerDenoiser(images.train, schedule), noisy)
    assert wiener < 0.4 * noise_mse(identity_prediction(noisy.x_t), noisy.noise)
    assert int(noisy.t.min()) >= 100
