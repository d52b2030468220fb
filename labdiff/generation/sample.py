"""Images out of noise, by the bench or by its twin."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from labdiff.config.training import TIMESTEPS, SamplerOptions
from labdiff.diffusion.guidance import guided
from labdiff.diffusion.sampler import Sampler
from labdiff.events import GenerationStep, StageStarted
from labdiff.generation.denoise import denoise, device_for
from labdiff.generation.drawn_clusters import draw_clusters, start_images
from labdiff.job import Job
from labdiff.session.denoiser import Denoiser
from twin.input_layout import NO_PROMPT


def sampler_of(
    options: SamplerOptions, image_mean: float = 0.0, first_t: int = TIMESTEPS
) -> Sampler:
    """Return the reverse process of sampler options.

    Args:
        options: the options.
        image_mean: mean brightness of the images, about which contrast stretches them.
        first_t: number of timesteps that are denoised.
    """
    return Sampler(
        options.sampler,
        options.sampler_steps,
        options.eta,
        options.sampler_spacing,
        options.least_t,
        options.temperature,
        options.contrast,
        image_mean,
        first_t,
    )


def generate(
    denoiser: Denoiser,
    count: int,
    where: Literal["twin", "bench"],
    seed: int | None = None,
    prompts: Tensor | None = None,
    guidance: float = 1.0,
    progress: dict[str, np.ndarray] | None = None,
    light_off: bool = False,
) -> Job[Tensor]:
    """Generate images (count, H, W) in -1 ... 1; yield the batch after every denoising step.

    Args:
        denoiser: the trained unit on its bench or twin.
        count: how many images.
        where: what denoises: the bench, or its twin.
        seed: of the noise; the options' if None.
        prompts: (count,), blocks of the classes prompted (`labdiff.session.class_prompts`).
        guidance: weight of the prompt; other than 1 it takes two forward passes an image and step.
        progress: filled after every step with what it takes to resume from there; resumed from if filled.
        light_off: whether electronics alone denoise (`labdiff.generation.denoise.denoise`): what is as good
            without light was not made by light.
    """
    options = denoiser.options
    sampler = sampler_of(options, float(denoiser.odu.image_mean), options.first_t)
    seed = options.seed if seed is None else seed
    rng = torch.Generator().manual_seed(20_000 + seed)
    noise = torch.randn(count, options.image_size, options.image_size, generator=rng)
    clusters = draw_clusters(denoiser, count, prompts, 30_000 + seed)
    start = start_images(denoiser, noise, clusters)
    progress, done = {} if progress is None else progress, 0
    if progress:
        done, start = int(progress["done"]), torch.from_numpy(progress["images"])
        rng.set_state(torch.from_numpy(progress["rng"]))
    how = ", light off" if light_off else ""
    yield StageStarted(f"generating on the {where}{how}", sampler.steps)

    def predict_noise(x_t: Tensor, t: int) -> Tensor:
        times = torch.full((len(x_t),), t)
        if prompts is None or guidance == 1.0 or denoiser.odu.clusters > 1:
            return denoise(denoiser, x_t, times, where, prompts, light_off, clusters)[0]
        both = torch.cat([torch.full_like(prompts, NO_PROMPT), prompts])
        twice = x_t.repeat(2, 1, 1), times.repeat(2)
        predicted, _ = denoise(denoiser, *twice, where, both, light_off)
        unprompted, prompted = predicted.chunk(2)
        return guided(unprompted, prompted, guidance)

    images = start
    with denoiser.on(device_for(denoiser, where)):
        steps = sampler.sample(predict_noise, start, denoiser.schedule, rng, done)
        for index, t, images in steps:
            if index == sampler.steps - 1:
                images = denoiser.odu.finished(images.to(denoiser.device)).cpu()
            progress.update(
                done=np.array(index + 1), images=images.numpy(), rng=rng.get_state().numpy()
            )
            yield GenerationStep(index, sampler.steps, t, images.numpy().copy())
    return images.clamp(-1.0, 1.0)
