"""Figures that reveal a collapsed generator, or one that repeats what it was trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from labdiff.data.image_set import ImageSet
from labdiff.job import run
from labdiff.metrics.bootstrap import resample_counts
from labdiff.metrics.classes import class_shares, variance_within
from labdiff.metrics.features import FeatureExtractor
from labdiff.metrics.neighbours import (
    ball_radii,
    nearest_distances,
    precision,
    reached,
    resampled_recalls,
)
from labdiff.metrics.variety import variety_metrics


def drawn(count: int, seed: int, spread: float = 1.0, centre: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, spread, size=(count, 6))


def test_radii_are_the_distances_of_the_third_neighbours() -> None:
    line = np.array([0.0, 1.0, 3.0, 7.0, 15.0])[:, None]
    assert ball_radii(line).tolist() == pytest.approx([7.0, 6.0, 4.0, 7.0, 14.0])
    with pytest.raises(ValueError, match="need 4 images on each side; here 3"):
        ball_radii(line[:3])


def test_precision_and_recall_of_one_distribution_are_alike_and_of_distant_ones_zero() -> None:
    x, y = drawn(400, 0), drawn(400, 1)
    assert precision(x, y).mean() == pytest.approx(reached(x, y).any(0).mean(), abs=0.08)
    assert precision(x, y).mean() > 0.8
    far = drawn(400, 2, centre=50.0)
    assert not precision(far, y).any()
    assert not reached(far, y).any()


def test_a_collapsed_generator_has_precision_and_no_recall() -> None:
    real = drawn(400, 0, spread=3.0)
    collapsed = drawn(10, 1).repeat(30, axis=0) + drawn(300, 2, spread=1e-3)
    assert precision(collapsed, real).mean() > 0.9
    assert reached(collapsed, real).any(0).mean() < 0.05


def test_resampled_recalls_are_those_of_the_images_drawn() -> None:
    reaches = np.array([[True, False, False], [False, True, False]])
    counts = np.array([[1, 1], [2, 0], [0, 2]])
    assert resampled_recalls(reaches, counts).tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3])


def test_nearest_distances_are_rms_differences_of_pixels() -> None:
    training = np.stack([np.zeros((2, 2)), np.ones((2, 2))])
    images = np.stack([np.full((2, 2), 0.25), np.full((2, 2), 0.875), np.ones((2, 2))])
    assert nearest_distances(images, training).tolist() == pytest.approx([0.25, 0.125, 0.0])


def test_variance_within_leaves_out_the_difference_of_the_classes() -> None:
    labels = np.arange(600) % 3
    images = drawn(600, 0, spread=2.0) + 100.0 * labels[:, None]
    once = np.ones((1, 600), np.int64)
    assert variance_within(images, labels, once)[0] == pytest.approx(6 * 4.0, rel=0.1)


def test_variance_within_of_resamples_is_that_of_the_repeated_images() -> None:
    labels, images = np.arange(60) % 3, drawn(60, 0)
    counts = resample_counts(60, 5, 0)
    found = variance_within(images, labels, counts)
    for count, value in zip(counts, found, strict=True):
        drawn_images, drawn_labels = np.repeat(images, count, 0), np.repeat(labels, count)
        by_class = [drawn_images[drawn_labels == label] for label in range(3)]
        expected = sum(len(part) * part.var(0, ddof=1).sum() for part in by_class) / 60
        assert value == pytest.approx(expected)


def test_class_shares_add_up_to_one() -> None:
    labels = np.array([0, 0, 0, 2])
    shares = class_shares(labels, 3, np.array([[1, 1, 1, 1], [0, 0, 0, 4]]))
    assert shares.tolist() == [[0.75, 0.0, 0.25], [0.0, 0.0, 1.0]]


class Sign(nn.Module):
    """Two classes, by the mean's sign."""

    def forward(self, features: Tensor) -> Tensor:
        mean = features.mean(1)
        return torch.stack([-mean, mean], 1)


def two_classes(count: int, seed: int, spread: float = 0.1) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    noise = spread * torch.randn(count, 4, 4, generator=rng)
    return 0.5 * (2.0 * labels - 1.0)[:, None, None] + noise, labels


def test_each_fault_of_a_generator_moves_its_own_figure() -> None:
    (train, labels), (test, test_labels) = two_classes(400, 0), two_classes(200, 1)
    images = ImageSet("two", train, test, labels, test_labels, "made here")
    extractor = FeatureExtractor("classifier", nn.Flatten(), "pixels", Sign(), batch=100)

    def figures(generated: Tensor) -> dict[str, float]:
        found = run(variety_metrics(generated, images, extractor, resamples=20))
        for figure in found.figures:
            assert figure.low <= figure.value <= figure.high
        nearest, within = found.figure("nearest"), found.figure("variance_within")
        return {
            "nearest": nearest.value / nearest.real,
            "within": within.value / within.real,
            "share": found.figure("share_error").value,
        }

    good = figures(two_classes(200, 2)[0])
    assert good["nearest"] == pytest.approx(1.0, abs=0.1)
    assert good["within"] == pytest.approx(1.0, abs=0.1)
    assert good["share"] == pytest.approx(0.0, abs=1e-9)
    assert figures(train[:200])["nearest"] == pytest.approx(0.0, abs=1e-3), "repeats them"
    assert figures(two_classes(200, 2, 0.02)[0])["within"] < 0.1, "stored means"
    assert figures(two_classes(200, 2)[0][1::2])["share"] == pytest.approx(0.5), "one class only"
