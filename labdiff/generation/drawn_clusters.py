"""Draw the cluster of each image that is generated, and where its reverse process starts."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.session.denoiser import Denoiser


def draw_clusters(denoiser: Denoiser, count: int, prompts: Tensor | None, seed: int) -> Tensor:
    """Return the cluster (count,) of each image, by the weights that the clusters have in training.

    Each cluster is drawn as often as its weight says, to within one image (systematic sampling), in a
    random order; with prompts those of the class prompted. Without clusters all are 0.

    Args:
        denoiser: Its unit knows the clusters and their weights.
        count: Number of images.
        prompts: (count,), number of the class prompted for each image; None without.
        seed: Of the draw.
    """
    unit = denoiser.odu
    found = torch.zeros(count, dtype=torch.long)
    if unit.clusters == 1:
        return found
    rng = torch.Generator().manual_seed(seed)
    classes = len(denoiser.classes) or 1
    weights = unit.cluster_weights.view(classes, -1)
    if prompts is None:
        # Classes that are not prompted come as often as among the images.
        return _drawn(weights.flatten(), count, rng)
    each = weights.shape[1]
    for block in sorted(set(prompts.tolist())):
        mine = prompts == block
        found[mine] = block * each + _drawn(weights[block], int(mine.sum()), rng)
    return found


def start_images(denoiser: Denoiser, noise: Tensor, clusters: Tensor) -> Tensor:
    """Return noisy images (B, H, W) at the timestep at which the reverse process starts.

    At t = T - 1 they are pure noise. A process that starts later starts from noise about the mean image,
    of all images or of the cluster: of more than the mean nothing can be seen there.

    Args:
        denoiser: Its options say where the process starts.
        noise: Standard normal noise, (B, H, W).
        clusters: Cluster of each image, (B,).
    """
    unit, schedule = denoiser.odu, denoiser.schedule
    start = denoiser.policy.steps
    if start == schedule.steps:
        return noise
    abar = schedule.abar(start - 1)
    mean = unit.cluster_means[clusters] if unit.clusters > 1 else unit.image_mean
    found: Tensor = abar**0.5 * mean + (1.0 - abar) ** 0.5 * noise
    return found


def _drawn(weights: Tensor, count: int, rng: torch.Generator) -> Tensor:
    places = (torch.arange(count) + torch.rand(1, generator=rng)) / count
    edges = weights.double().cumsum(0) / weights.double().sum()
    drawn = torch.searchsorted(edges, places.double(), right=True).clamp(max=len(weights) - 1)
    return drawn[torch.randperm(count, generator=rng)]
