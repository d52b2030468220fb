"""Images out of noise, by the bench or by its twin."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from labdiff.diffusion.guidance import guided
from labdiff.diffusion.sampler import Sampler
from labdiff.events import GenerationStep, StageStarted
from labdiff.generation.denoise import denoise
from labdiff.job import Job
from labdiff.session.session import Session
from twin.input_layout import NO_PROMPT


def sampler_of(session: Session) -> Sampler:
    """The reverse process as the session's options have it."""
    options = session.options
    return Sampler(
        options.sampler,
        options.sampler_steps,
        options.eta,
        options.sampler_spacing,
        options.least_t,
        options.temperature,
        options.contrast,
        float(session.odu.image_mean),
    )


def generate(
    session: Session,
    count: int,
    where: Literal["twin", "bench"],
    seed: int | None = None,
    prompts: Tensor | None = None,
    guidance: float = 1.0,
    kept: dict[str, np.ndarray] | None = None,
) -> Job[Tensor]:
    """`count` images (count, H, W) in -1 ... 1; yields the batch after every denoising step.

    prompts (count,): blocks of the classes asked for (`labdiff.session.class_prompts`), none if not given.
    guidance: weight of the prompt; other than 1 it takes two passes of light an image and step.
    kept: where after every step stands what it takes to go on from there, and what it goes on from.
    """
    options = session.options
    sampler = sampler_of(session)
    rng = torch.Generator().manual_seed(20_000 + (options.seed if seed is None else seed))
    start = torch.randn(count, options.image_size, options.image_size, generator=rng)
    kept, done = {} if kept is None else kept, 0
    if kept:
        done, start = int(kept["done"]), torch.from_numpy(kept["images"])
        rng.set_state(torch.from_numpy(kept["rng"]))
    yield StageStarted(f"generating on the {where}", sampler.steps)

    def denoiser(x_t: Tensor, t: int) -> Tensor:
        times = torch.full((len(x_t),), t)
        if prompts is None or guidance == 1.0:
            return denoise(session, x_t, times, where, prompts)[0]
        both = torch.cat([torch.full_like(prompts, NO_PROMPT), prompts])
        unasked, asked = denoise(session, x_t.repeat(2, 1, 1), times.repeat(2), where, both)[
            0
        ].chunk(2)
        return guided(unasked, asked, guidance)

    images = start
    for index, t, images in sampler.sample(denoiser, start, session.schedule, rng, done):
        kept.update(done=np.array(index + 1), images=images.numpy(), rng=rng.get_state().numpy())
        yield GenerationStep(index, sampler.steps, t, images.numpy().copy())
    return images.clamp(-1.0, 1.0)
