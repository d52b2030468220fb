"""The images of a training step: drawn from the training images, with noise of drawn timesteps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from labdiff.session.class_prompts import prompts_for_training
from labdiff.session.device import CPU
from labdiff.session.training_session import TrainingSession
from labdiff.training.batch_share import BatchShare
from labdiff.training.methods import Method


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one training step.

    Attributes:
        x_t: (B, H, W), noisy images, the input.
        noise: (B, H, W), the noise in them, a target.
        clean: (B, H, W), the images without noise, a target; both are less the mean of their cluster.
        t: (B,), timesteps.
        abar: (B,), share of the clean image's variance at these timesteps (Ho et al. 2020).
        prompts: (B,), blocks of the classes prompted; None where the unit has no prompts.
    """

    x_t: Tensor
    noise: Tensor
    clean: Tensor
    t: Tensor
    abar: Tensor
    prompts: Tensor | None

    def part(self, images: slice | Tensor) -> Batch:
        """Return some of the images as a batch."""
        prompts = None if self.prompts is None else self.prompts[images]
        return Batch(
            self.x_t[images],
            self.noise[images],
            self.clean[images],
            self.t[images],
            self.abar[images],
            prompts,
        )

    @staticmethod
    def joined(batches: Sequence[Batch]) -> Batch:
        """Return the images of several batches as one."""
        prompts = [batch.prompts for batch in batches if batch.prompts is not None]
        return Batch(
            torch.cat([batch.x_t for batch in batches]),
            torch.cat([batch.noise for batch in batches]),
            torch.cat([batch.clean for batch in batches]),
            torch.cat([batch.t for batch in batches]),
            torch.cat([batch.abar for batch in batches]),
            torch.cat(prompts) if prompts else None,
        )


def draw_batch(
    session: TrainingSession,
    method: Method,
    layer_set: int,
    step: int,
    share: BatchShare | None = None,
) -> Batch:
    """Draw the images of one step, or the share of them that this process has.

    Seeded by the step itself, so that a resumed run gets the batches that it would have had.

    Args:
        session: the images, the noise schedule and the policy.
        method: whose batches are drawn.
        layer_set: whose timesteps are drawn.
        step: of the layer set; negative ones give batches that training never sees.
        share: of every batch, if several processes train a layer set together.
    """
    options = session.options
    # All that is compared with online learning has its batches, but physics-aware.
    stream = {"calibrated": 0, "offline": 1, "physics_aware": 2}.get(method, 3)
    seed = ((options.seed * 4 + stream) * options.all_layer_sets + layer_set) * 1_000_003 + step
    # On a GPU that draws by itself nothing has to be sent to it; its numbers are others than the CPU's.
    where = session.device
    rng = torch.Generator(CPU if where.type == "meta" else where).manual_seed(seed % 2**63)
    first, end = session.policy.bounds(layer_set)
    images, labels = session.training_images, session.training_labels
    cluster = session.policy.cluster(layer_set)
    members = session.training_members(cluster)
    drawn = members[torch.randint(len(members), (options.batch,), generator=rng, device=where)]
    # In place of images the unit sees what is left of them after the mean of their cluster.
    ones = torch.ones(options.batch, device=where)
    clean = session.odu.residual(images[drawn], ones, cluster)
    t = torch.randint(first, end, (options.batch,), generator=rng, device=where)
    noise = torch.randn(clean.shape, generator=rng, device=where)
    # Last, so that images and noise are the same with and without prompts.
    prompts = prompts_for_training(session, labels[drawn], rng)
    x_t = session.schedule.add_noise(clean, noise, t)
    batch = Batch(x_t, noise, clean, t, session.schedule.alphas_bar_at(t), prompts)
    # After all is drawn, so that the shares together are the batch of one process.
    return batch if share is None else batch.part(share.images)
