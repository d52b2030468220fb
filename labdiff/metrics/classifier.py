"""Features without Inception: those of a small classifier trained on the real images.

Its figures are called classifier_fid, classifier_kid and classifier_is, never FID: they compare only sets
of images that were scored by the same trained classifier.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from labdiff.data.image_set import ImageSet
from labdiff.events import EvaluationStep, StageStarted
from labdiff.job import Job
from labdiff.metrics.features import FeatureExtractor

STEPS = 500
"""Number of training steps."""
BATCH = 128
"""Number of images of a training step."""
LEARNING_RATE = 3e-3
"""Largest learning rate of the one-cycle schedule."""
FEATURES = 64
"""Number of features."""
SMALLEST_SIDE = 7
"""Side, in pixels, down to which max pools halve the images."""
NOISE = 0.3
"""Standard deviation of the pixel noise of damaged images."""
DAMAGES = ("undamaged", "pixels shuffled", "turned by a quarter", "with pixel noise", "blurred")
"""The ways in which images are damaged, in the order of `damage`."""
MOST_TEST_IMAGES = 2000
"""Largest number of held-out images on which the accuracy is measured."""


class SmallNet(nn.Module):
    """3x3 convolutions with max pools, then 64 features; `head` maps features to class scores."""

    def __init__(self, image_shape: tuple[int, int], classes: int) -> None:
        super().__init__()
        (height, width), channels = image_shape, 1
        blocks: list[nn.Module] = []
        for wanted in (16, 32, 32, 32, 32):
            blocks += [nn.Conv2d(channels, wanted, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            channels, height, width = wanted, height // 2, width // 2
            if max(height, width) <= SMALLEST_SIDE:
                break
        self.convolutions = nn.Sequential(*blocks)
        self.features = nn.Linear(channels * height * width, FEATURES)
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, 64) of images (B, H, W) in -1 ... 1."""
        return functional.relu(self.features(self.convolutions(images[:, None]).flatten(1)))


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A trained classifier. accuracy: on held-out real images. task: the classes that it distinguishes."""

    extractor: FeatureExtractor
    accuracy: float
    task: str


def train_classifier(images: ImageSet, seed: int = 0) -> Job[TrainedClassifier]:
    """Train a classifier on the real training images, 500 steps of 128: ten seconds at 20x20 on one core.

    Where all images are of one class, it is trained to distinguish them from damaged versions: shuffled,
    turned, noisy, blurred. It has then no classes to score, and there is no classifier_is.

    Example:
        classifier = run(train_classifier(images, seed=0))
    """
    classes = sorted(set(images.train_labels.tolist()))
    one_class = len(classes) == 1
    rng = torch.Generator().manual_seed(seed)
    shape = (images.train.shape[1], images.train.shape[2])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallNet(shape, len(DAMAGES) if one_class else len(classes))
    numbers = torch.searchsorted(torch.tensor(classes), images.train_labels)
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=STEPS)
    yield StageStarted("training the classifier", STEPS)
    for step in range(STEPS):
        drawn = torch.randint(len(images.train), (BATCH,), generator=rng)
        batch, labels = images.train[drawn], numbers[drawn]
        if one_class:
            batch, labels = damage(batch, rng)
        loss = functional.cross_entropy(network.head(network(batch)), labels)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        yield EvaluationStep(step, STEPS, f"loss {float(loss.detach()):.3f}")

    held_out = images.test[:MOST_TEST_IMAGES]
    labels = torch.searchsorted(torch.tensor(classes), images.test_labels[:MOST_TEST_IMAGES])
    if one_class:
        held_out, labels = damage(held_out, rng)
    network.eval().requires_grad_(False)
    guessed = torch.cat(
        [network.head(network(part)).argmax(1) for part in torch.split(held_out, BATCH)]
    )
    accuracy = float((guessed == labels).float().mean())
    kinds = DAMAGES if one_class else tuple(f"class {number}" for number in classes)
    task = f"{images.name}, images {', '.join(kinds)}" if one_class else ", ".join(kinds)
    preparation = (
        f"classifier trained by labdiff on {len(images.train)} real images, {shape[0]}x{shape[1]}, "
        f"not resized, seed {seed}"
    )
    head = None if one_class else network.head
    extractor = FeatureExtractor("classifier", network, preparation, head, BATCH)
    return TrainedClassifier(extractor, accuracy, task)


def damage(images: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Damage images (B, H, W) at random; return them and the index of each damage in DAMAGES, (B,)."""
    kinds = torch.randint(len(DAMAGES), (len(images),), generator=rng)
    flat = images.flatten(1)
    orders = torch.rand(flat.shape, generator=rng).argsort(1)
    noise = NOISE * torch.randn(images.shape, generator=rng)
    versions = torch.stack(
        [
            images,
            flat.gather(1, orders).view_as(images),
            _rotate(images),
            (images + noise).clamp(-1.0, 1.0),
            functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False),
        ]
    )
    return versions[kinds, torch.arange(len(images))], kinds


def _rotate(images: Tensor) -> Tensor:
    """Rotate images by a quarter turn if they are square, else by a half turn."""
    square = images.shape[1] == images.shape[2]
    return torch.rot90(images, 1 if square else 2, (1, 2))
