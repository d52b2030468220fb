"""Images out of noise, by the bench or by its twin."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from labdiff.diffusion.sampler import Sampler
from labdiff.evaluate import denoise
from labdiff.events import GenerationStep, StageStarted
from labdiff.runner import Job
from labdiff.session import Session


def generate(
    session: Session, count: int, where: Literal["twin", "bench"], seed: int | None = None
) -> Job[Tensor]:
    """`count` images (count, H, W) in -1 ... 1; yields the batch after every denoising step."""
    options = session.options
    sampler = Sampler(options.sampler, options.sampler_steps, options.eta, options.sampler_spacing)
    rng = torch.Generator().manual_seed(20_000 + (options.seed if seed is None else seed))
    start = torch.randn(count, options.image_size, options.image_size, generator=rng)
    yield StageStarted(f"generating on the {where}", sampler.steps)

    def denoiser(x_t: Tensor, t: int) -> Tensor:
        return denoise(session, x_t, torch.full((len(x_t),), t), where)[0]

    images = start
    for index, t, images in sampler.sample(denoiser, start, session.schedule, rng):
        yield GenerationStep(index, sampler.steps, t, images.numpy().copy())
    return images.clamp(-1.0, 1.0)
