from __future__ import annotations

import itertools
from typing import Literal

import pytest
import torch

from labdiff.config.training import SamplerOptions, TrainingOptions
from labdiff.diffusion.sampler import Sampler
from labdiff.diffusion.schedule import NoiseSchedule, Spacing
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.errors import UserError
from labdiff.generation.sample import sampler_of


def test_schedule_has_ddpm_ends() -> None:
    schedule = NoiseSchedule()
    assert float(schedule.betas[0]) == pytest.approx(1e-4)
    assert float(schedule.betas[-1]) == pytest.approx(0.02)
    assert schedule.abar(999) < 1e-4
    assert schedule.abar(-1) == 1.0


def test_add_noise_keeps_unit_variance() -> None:
    rng = torch.Generator().manual_seed(0)
    x0 = torch.randn(400, 8, 8, generator=rng)
    noise = torch.randn(400, 8, 8, generator=rng)
    t = torch.randint(0, 1000, (400,), generator=rng)
    assert float(NoiseSchedule().add_noise(x0, noise, t).var()) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("sets", [1, 3, 7, 10, 1000])
def test_policy_partitions_the_timesteps(sets: int) -> None:
    policy = TimeAwarePolicy(1000, sets)
    for t in range(1000):
        first, end = policy.bounds(policy.layer_set(t))
        assert first <= t < end


def test_policy_has_ranges_by_difficulty() -> None:
    policy = TimeAwarePolicy(1000, 3, (100, 400))
    assert [policy.bounds(m) for m in range(3)] == [(0, 100), (100, 400), (400, 1000)]
    assert [policy.layer_set(t) for t in (0, 99, 100, 399, 400, 999)] == [0, 0, 1, 1, 2, 2]
    for wrong in ((100,), (400, 100), (0, 100), (100, 1000)):
        with pytest.raises(ValueError, match="timestep edges"):
            TimeAwarePolicy(1000, 3, wrong)


def sampler(kind: str, steps: int, mean: float = 0.0, **options: float) -> Sampler:
    """With equal distances of the timesteps, and the defaults of all other options."""
    chosen = {"sampler": kind, "sampler_steps": steps, "sampler_spacing": "linspace", **options}
    return sampler_of(SamplerOptions.model_validate(chosen), mean)


POINT = torch.linspace(-0.9, 0.9, 16).view(1, 4, 4)


def sampled_point(process: Sampler) -> tuple[int, torch.Tensor]:
    """Last timestep and images where all data are one image, for which the denoiser is known exactly."""
    schedule = NoiseSchedule()

    def exact(x: torch.Tensor, t: int) -> torch.Tensor:
        abar = schedule.abar(t)
        return (x - abar**0.5 * POINT) / (1 - abar) ** 0.5

    rng = torch.Generator().manual_seed(1)
    start = torch.randn(6, 4, 4, generator=rng)
    *_, (_, t, images) = process.sample(exact, start, schedule, rng)
    return t, images


@pytest.mark.parametrize("kind", ["ddpm", "ddim"])
def test_samplers_recover_a_point_distribution(kind: Literal["ddpm", "ddim"]) -> None:
    t, images = sampled_point(sampler(kind, 50))
    assert t == 0
    torch.testing.assert_close(images, POINT.expand(6, 4, 4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("eta", [0.0, 1.0, 2.0, 3.0])
def test_the_last_step_takes_all_noise_off_from_wherever_it_starts(eta: float) -> None:
    t, images = sampled_point(sampler("ddim", 20, eta=eta, least_t=190))
    assert t == 190
    torch.testing.assert_close(images, POINT.expand(6, 4, 4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("contrast", [0.8, 1.1])
def test_contrast_stretches_about_the_mean(contrast: float) -> None:
    _, images = sampled_point(sampler("ddim", 20, contrast=contrast, mean=-0.5))
    wanted = (-0.5 + contrast * (POINT + 0.5)).clamp(-1.0, 1.0)
    torch.testing.assert_close(images, wanted.expand(6, 4, 4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("eta", [1.0, 2.0, 3.0])
def test_noise_never_exceeds_what_the_next_timestep_has(eta: float) -> None:
    """Images at the point's timestep s have variance 1 - abar_s about it, whatever eta."""
    schedule, process = NoiseSchedule(), sampler("ddim", 50, eta=eta)
    rng = torch.Generator().manual_seed(2)
    for t, s in ((999, 979), (500, 480), (20, 0), (1, 0)):
        noise = torch.randn(200, 20, 20, generator=rng)
        x = schedule.abar(t) ** 0.5 * 0.3 + (1 - schedule.abar(t)) ** 0.5 * noise
        after = process.step(x, noise, t, s, schedule, rng) - schedule.abar(s) ** 0.5 * 0.3
        assert float(after.var()) == pytest.approx(1 - schedule.abar(s), rel=0.03)


def test_paper_step_is_the_printed_formula() -> None:
    schedule = NoiseSchedule()
    x, noise = torch.full((1, 1, 1), 0.5), torch.full((1, 1, 1), 0.25)
    got = sampler("paper", 1000).step(x, noise, 300, 299, schedule, torch.Generator())
    beta = float(schedule.betas[300])
    assert float(got) == pytest.approx((0.5 - beta * 0.25) / (1 - beta) ** 0.5, rel=1e-4)


@pytest.mark.parametrize("count", [2, 7, 50, 999, 1000])
def test_quadratic_timesteps_are_denser_where_there_is_less_noise(count: int) -> None:
    times = NoiseSchedule().timesteps(count, "quadratic")
    gaps = [a - b for a, b in itertools.pairwise(times)]
    assert (times[0], times[-1], len(times)) == (999, 0, count)
    assert min(gaps) >= 1
    assert gaps[0] >= gaps[-1]


def test_temperature_weighs_the_noise_that_is_added() -> None:
    """With eta 1 the posterior's variance is added, at temperature 0.5 a quarter of it."""
    schedule = NoiseSchedule()
    x, noise = torch.zeros(1, 200, 200), torch.zeros(1, 200, 200)
    found = [
        sampler("ddim", 50, temperature=temperature)
        .step(x, noise, 500, 480, schedule, torch.Generator().manual_seed(1))
        .var()
        for temperature in (1.0, 0.5, 0.0)
    ]
    abar_t, abar_s = schedule.abar(500), schedule.abar(480)
    assert float(found[0]) == pytest.approx(
        (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s), rel=0.03
    )
    assert float(found[1] / found[0]) == pytest.approx(0.25, rel=1e-4)
    assert float(found[2]) == 0.0


@pytest.mark.parametrize("name", ["temperature", "contrast"])
def test_the_papers_sampler_has_no_use_for_them(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} 1.2: ddim's and ddpm's; the sampler is paper"):
        TrainingOptions(sampler="paper", **{name: 1.2})


@pytest.mark.parametrize("spacing", ["linspace", "quadratic"])
def test_timesteps_end_at_least_t(spacing: Spacing) -> None:
    times = NoiseSchedule().timesteps(50, spacing, least_t=190)
    assert (times[0], times[-1], len(set(times))) == (999, 190, 50)
    assert NoiseSchedule().timesteps(10, spacing, least_t=990) == list(range(999, 989, -1))
    with pytest.raises(ValueError, match="allowed is 1 ... 10"):
        NoiseSchedule().timesteps(11, spacing, least_t=990)


def test_timesteps_descend_to_zero() -> None:
    times = NoiseSchedule().timesteps(50)
    assert times[0] == 999
    assert times[-1] == 0
    assert all(a > b for a, b in itertools.pairwise(times))
    with pytest.raises(ValueError, match="allowed is 1"):
        NoiseSchedule().timesteps(0)
