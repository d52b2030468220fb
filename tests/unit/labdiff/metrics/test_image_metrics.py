from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from labdiff.job import run
from labdiff.metrics.bootstrap import interval_around, resample_counts
from labdiff.metrics.class_score import class_score, resampled_class_scores
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.frechet import frechet_distance, resampled_distances
from labdiff.metrics.images import image_metrics
from labdiff.metrics.kernel_distance import (
    kernel_distance,
    resampled_kernel_distances,
    rms,
)


def standardised(count: int, size: int, seed: int) -> np.ndarray:
    """Samples whose mean is 0 and whose covariance is the unit matrix, exactly."""
    x = np.random.default_rng(seed).normal(size=(count, size))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T


def test_frechet_distance_of_two_gaussians_is_the_closed_form() -> None:
    """Commuting covariances: |m1 - m2|^2 + sum (s1 - s2)^2."""
    first, second = np.array([1.0, 2.0, 0.5, 3.0]), np.array([2.0, 2.0, 1.5, 0.1])
    shift = np.array([0.3, -0.2, 0.0, 1.0])
    x = standardised(200, 4, 0) * first
    y = standardised(300, 4, 1) * second + shift
    expected = np.square(shift).sum() + np.square(first - second).sum()
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_covariances_that_do_not_commute() -> None:
    """In two dimensions tr (S1 S2)^(1/2) = sqrt(tr S1 S2 + 2 sqrt(det S1 S2))."""
    x = standardised(90, 2, 0) @ np.array([[2.0, 0.4], [0.0, 0.5]])
    y = standardised(80, 2, 1) @ np.array([[0.7, 0.0], [-0.9, 1.2]])
    product = np.cov(x.T) @ np.cov(y.T)
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(np.cov(x.T)) + np.trace(np.cov(y.T)) - 2 * root
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_identical_sets_are_no_distance_apart_with_fewer_images_than_features() -> None:
    x = np.random.default_rng(0).normal(size=(40, 100))
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("size", [5, 90])
def test_resampled_distances_are_those_of_the_repeated_images(size: int) -> None:
    """Up to what the left-out directions add, alike to all."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, size)), rng.normal(0.2, 1.3, size=(70, size))
    counts = resample_counts(60, 4, 1)
    fast = resampled_distances(x, y, counts)
    slow = np.array([frechet_distance(np.repeat(x, count, axis=0), y) for count in counts])
    np.testing.assert_allclose(fast - fast.mean(), slow - slow.mean(), atol=2e-2 * slow.mean())
    np.testing.assert_allclose(fast, slow, rtol=2e-2)


def test_intervals_hold_the_distance_expected_at_this_count() -> None:
    """Although the resamples themselves all lie higher: fewer different images look further away."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(300, 6))
    values, intervals, higher = [], [], 0
    for seed in range(80):
        x = rng.normal(0.2, 1.2, size=(100, 6))
        values.append(frechet_distance(x, real))
        resampled = resampled_distances(x, real, resample_counts(100, 100, seed))
        intervals.append(interval_around(values[-1], resampled))
        higher += int(resampled.mean() > values[-1])
    expected = np.mean(values)
    assert np.mean([low < expected < high for low, high in intervals]) > 0.85
    assert np.mean([high - low for low, high in intervals]) == pytest.approx(
        2 * 1.96 * np.std(values), rel=0.3
    )
    assert higher == 80


def test_an_interval_is_centred_on_the_value_and_ends_where_the_figure_does() -> None:
    resampled = np.linspace(4.0, 6.0, 1001)
    assert interval_around(1.0, resampled) == pytest.approx((0.05, 1.95))
    assert interval_around(0.5, resampled, least=0.0) == pytest.approx((0.0, 1.45))


def test_kernel_distance_is_the_closed_form_of_two_points() -> None:
    """One value x over and over, against one value y: k(x, x) + k(y, y) - 2 k(x, y)."""
    x, y = np.full((5, 1), 1.0), np.full((7, 1), 3.0)
    assert kernel_distance(x, y, scale=2.0) == pytest.approx(
        (0.25 + 1) ** 3 + (2.25 + 1) ** 3 - 2 * (0.75 + 1) ** 3
    )


def test_kernel_distance_is_unbiased() -> None:
    rng = np.random.default_rng(0)
    scale = rms(rng.normal(1.0, 1.0, size=(1000, 8)))

    def drawn(mean: float) -> np.ndarray:
        return np.asarray(rng.normal(mean, 1.0, size=(30, 8)))

    same = np.array([kernel_distance(drawn(1.0), drawn(1.0), scale) for _ in range(300)])
    other = np.array([kernel_distance(drawn(1.5), drawn(1.0), scale) for _ in range(300)])
    assert abs(same.mean()) < 4 * same.std() / len(same) ** 0.5
    assert (same < 0).any()
    assert other.mean() > 20 * same.std() / len(same) ** 0.5


def test_kernel_distance_over_subsets_is_their_mean() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2000, 3)), rng.normal(0.5, 1.0, size=(2000, 3))
    halves = [kernel_distance(x[part], y[part], 1.0) for part in (slice(1000), slice(1000, 2000))]
    assert kernel_distance(x, y, 1.0) == pytest.approx(np.mean(halves))


def test_resampled_kernel_distances_stay_around_the_value() -> None:
    """Leaving out pairs of an image with itself keeps the resamples unbiased."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.4, 1.0, size=(100, 4)), rng.normal(size=(100, 4))
    value = kernel_distance(x, y, 1.0)
    resampled = resampled_kernel_distances(x, y, 1.0, resample_counts(100, 2000, 0))
    assert resampled.mean() == pytest.approx(value, abs=4 * resampled.std() / 2000**0.5)


def test_class_score_reaches_its_limits() -> None:
    """The number of classes for sure and evenly spread, 1 for one class, 1 for no idea."""
    sure = np.eye(5).repeat(4, axis=0)
    assert class_score(sure) == pytest.approx(5.0)
    assert class_score(sure[:4]) == pytest.approx(1.0)
    assert class_score(np.full((9, 5), 0.2)) == pytest.approx(1.0)
    twice = np.full((1, 20), 2)
    assert resampled_class_scores(sure, twice) == pytest.approx([5.0])


def pixels(name: str = "inception") -> FeatureExtractor:
    """The pixels themselves as features."""
    return FeatureExtractor("inception" if name == "inception" else "classifier", nn.Flatten(), "")


def test_metrics_rank_piles_of_images_and_say_what_they_rest_on() -> None:
    rng = torch.Generator().manual_seed(0)

    def drawn(count: int, contrast: float) -> torch.Tensor:
        return (contrast * torch.randn(count, 4, 4, generator=rng)).clamp(-1, 1)

    train, test = drawn(150, 0.3), drawn(60, 0.3)
    extractor = pixels()
    near = run(image_metrics(drawn(90, 0.3), train, test, extractor, resamples=50))
    far = run(image_metrics(drawn(90, 0.6), train, test, extractor, resamples=50))
    assert (near.count, near.real_count, near.features) == (60, 60, "inception")
    names = ["fid", "kid", "kid_raw", "precision", "recall"]
    assert [figure.name for figure in near.figures] == names
    for name in ("fid", "kid"):
        assert near.figure(name).high < far.figure(name).low
        assert near.figure(name).real == far.figure(name).real
    assert far.as_dict()["figures"]["fid"]["value"] == far.figure("fid").value
    again = run(image_metrics(drawn(90, 0.6), train, test, pixels("classifier"), resamples=50))
    names = [f"classifier_{name}" for name in ("fid", "kid", "precision", "recall")]
    assert [figure.name for figure in again.figures] == names
    with pytest.raises(ValueError, match="two images at least"):
        run(image_metrics(drawn(1, 0.3), train, test, extractor))


def test_images_seen_before_cost_nothing() -> None:
    calls = []

    class Counting(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            calls.append(len(images))
            return images.flatten(1)

    extractor = FeatureExtractor("inception", Counting(), "", batch=4)
    images = torch.rand(10, 3, 3)
    first = run(extractor.extract(images, ""))
    assert np.array_equal(first, run(extractor.extract(images.clone(), "")))
    assert calls == [4, 4, 2]


def test_resamples_of_very_few_images_hold_two_different_ones() -> None:
    counts = resample_counts(2, 500, 0)
    assert (counts == 1).all()
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    assert np.isfinite(resampled_kernel_distances(x, x + 1, 1.0, counts)).all()
