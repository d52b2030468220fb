"""The images of a training step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from labdiff.session.class_prompts import prompts_for_training
from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_share import BatchShare
from labdiff.training.methods import Method


class Batch(NamedTuple):
    """Noisy images, noise, clean images (B, H, W), t (B,), and prompts (B,) if the class is written."""

    x_t: Tensor
    noise: Tensor
    clean: Tensor
    t: Tensor
    prompts: Tensor | None


def draw_batch(
    session: TrainingSession,
    method: Method,
    layer_set: int,
    step: int,
    share: BatchShare | None = None,
) -> Batch:
    """Draw the images of one step, or the share of them that this process has.

    Seeded by the step itself, so that a resumed run meets the batches that it would have met.
    """
    options = session.options
    stream = {"calibrated": 0, "offline": 1, "physics_aware": 2, "online": 3}[method]
    seed = ((options.seed * 4 + stream) * options.layer_sets + layer_set) * 1_000_003 + step
    rng = torch.Generator().manual_seed(seed % 2**63)
    first, end = session.policy.bounds(layer_set)
    images = session.images
    drawn = torch.randint(len(images.train), (options.batch,), generator=rng)
    clean = images.train[drawn]
    t = torch.randint(first, end, (options.batch,), generator=rng)
    noise = torch.randn(clean.shape, generator=rng)
    # Last, so that images and noise are the same with and without prompts.
    prompts = prompts_for_training(session, images.train_labels[drawn], rng)
    whole = Batch(session.schedule.add_noise(clean, noise, t), noise, clean, t, prompts)
    if share is None:
        return whole
    # After all is drawn, so that the shares together are the batch of one process.
    own = share.images
    return Batch(*(None if part is None else part[own] for part in whole))  # type: ignore[arg-type]
