"""Clusters of training images: found without labels, or within each class that can be prompted."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from labdiff.errors import UserError
from twin.denoising_unit import ImageStatistics


def statistics_of(
    images: Tensor, blocks: Tensor | None, classes: int, clusters: int, seed: int
) -> ImageStatistics:
    """Return what a unit has to know of its training images.

    Args:
        images: training images, (N, H, W) in -1 ... 1.
        blocks: (N,), number of the class of each image among those that can be prompted; None without.
        classes: how many classes can be prompted.
        clusters: how many clusters the images fall into, in equal numbers for each class.
        seed: of the start of k-means (Arthur & Vassilvitskii 2007).

    Raises:
        UserError: there are too few images, or the clusters are no multiple of the classes.
    """
    mean = float(images.mean())
    if clusters == 1:
        return ImageStatistics(mean, float(images.std()))
    classes = 1 if blocks is None else classes
    if clusters % classes:
        raise UserError(
            f"clusters = {clusters}: with a prompt it has to be a multiple of the {classes} classes"
        )
    means = []
    for block in range(classes):
        mine = images if blocks is None else images[blocks == block]
        if len(mine) < clusters // classes:
            raise UserError(f"clusters = {clusters}: more than there are images, {len(mine)}")
        means.append(_means(mine, clusters // classes, seed))
    found = torch.cat(means)
    nearest = nearest_clusters(found, images, blocks, classes)
    counts = torch.bincount(nearest, minlength=clusters)
    # Nearest to the mean of all that are nearest: what the units take off.
    sums = torch.zeros_like(found).index_add_(0, nearest, images)
    found = sums / counts.clamp_min(1).view(-1, 1, 1)
    return ImageStatistics(
        mean=mean,
        deviation=float((images - found[nearest]).std()),
        cluster_means=found,
        cluster_weights=counts / len(images),
    )


def nearest_clusters(
    means: Tensor, images: Tensor, blocks: Tensor | None = None, classes: int = 1
) -> Tensor:
    """Return the cluster (N,) whose mean is nearest to each image, of the image's class if that is known.

    Args:
        means: mean images of the clusters, (K, H, W), class by class.
        images: (N, H, W).
        blocks: (N,), number of the class of each image among those that can be prompted; None without.
        classes: how many classes can be prompted.
    """
    distances = torch.cdist(images.flatten(1), means.flatten(1))
    if blocks is not None:
        of_class = torch.arange(len(means)) // (len(means) // classes)
        distances = distances.masked_fill(of_class != blocks[:, None], torch.inf)
    return distances.argmin(1)


def _means(images: Tensor, count: int, seed: int) -> Tensor:
    # Imported where it is needed: it takes over a second.
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer distinct images than clusters: some clusters are then alike, which does no harm.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = KMeans(count, n_init=1, random_state=seed).fit(images.flatten(1).numpy())
    return torch.from_numpy(fitted.cluster_centers_).float().view(count, *images.shape[1:])
