from __future__ import annotations

import numpy as np
import pytest
import torch

from labdiff.data.image_set import ImageSet, load_images
from labdiff.job import run
from labdiff.metrics.classifier import TrainedClassifier, damage, train_classifier
from labdiff.metrics.images import image_metrics


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_images("digits", 10, (0, 1, 2))


@pytest.fixture(scope="module")
def trained(digits: ImageSet) -> TrainedClassifier:
    torch.set_num_threads(1)
    return run(train_classifier(digits, seed=1))


def test_it_tells_real_digits_apart_and_names_its_figures(
    digits: ImageSet, trained: TrainedClassifier
) -> None:
    assert trained.accuracy > 0.95
    assert trained.task == "class 0, class 1, class 2"
    noise = torch.rand(100, 10, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1
    # Either set may be the reference: here the one that the classifier knows, where noise is farthest.
    metrics = run(image_metrics(noise, digits.test, digits.train, trained.extractor))
    names = [figure.name for figure in metrics.figures]
    assert names[:2] == ["classifier_fid", "classifier_kid"]
    assert names[2:] == ["classifier_precision", "classifier_recall", "classifier_is"]
    assert (
        metrics.figure("classifier_recall").value
        < 0.1
        < 0.8
        < metrics.figure("classifier_recall").real
    )
    for name in names[:2]:
        assert metrics.figure(name).low > 5 * metrics.figure(name).real
    score = metrics.figure("classifier_is")
    assert 1.0 <= score.value < score.real <= 3.0
    assert f"{len(digits.train)} real images, 10x10" in metrics.preparation


def test_the_same_seed_gives_the_same_features_whatever_torch_did_before(
    digits: ImageSet, trained: TrainedClassifier
) -> None:
    torch.manual_seed(77)
    state = torch.get_rng_state()
    again = run(train_classifier(digits, seed=1))
    assert torch.equal(torch.get_rng_state(), state)
    images = digits.test[:20]
    first, second = (run(c.extractor.extract(images, "")) for c in (trained, again))
    assert first.shape == (20, 64)
    assert np.array_equal(first, second)


def test_of_one_class_it_learns_to_see_damage_and_gives_no_class_score() -> None:
    zeros = load_images("digits", 8, (0,))
    found = run(train_classifier(zeros))
    assert "pixels shuffled" in found.task
    assert found.accuracy > 0.6
    assert found.extractor.probabilities(np.zeros((2, 64))) is None


def test_damaged_images_are_what_they_are_said_to_be() -> None:
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(200, 6, 6, generator=rng) * 2 - 1
    versions, kinds = damage(images, rng)
    assert set(kinds.tolist()) == {0, 1, 2, 3, 4}
    assert torch.equal(versions[kinds == 0], images[kinds == 0])
    for kind in (1, 2):
        now, before = versions[kinds == kind].flatten(1), images[kinds == kind].flatten(1)
        assert torch.equal(now.sort(1).values, before.sort(1).values)
        assert not torch.equal(now, before)
    assert float((versions - images)[kinds == 3].std()) > 0.15
    assert float(versions[kinds == 4].std()) < 0.6 * float(images.std())


@pytest.mark.parametrize("shape", [(5, 9), (40, 40), (28, 12)])
def test_it_takes_images_of_any_shape(shape: tuple[int, int]) -> None:
    from labdiff.metrics.classifier import SmallNet

    assert SmallNet(shape, 3)(torch.zeros(2, *shape)).shape == (2, 64)
