"""The tone curve: one look-up a pixel that gives generated images the grey levels of real ones."""

from __future__ import annotations

import torch
from torch import Tensor

from labdiff.events import EvaluationStep, GenerationStep, StageStarted
from labdiff.generation.sample import generate
from labdiff.job import Job
from labdiff.session.training_session import TrainingSession
from twin.tone_curve import matching_levels

IMAGES = 200
"""Number of images that are generated on the twin to find the tone curve."""
SEED = 7_000_000
"""Added to the seed of these images, so that they are none of those that are generated later."""


def fit_tone_curve(session: TrainingSession) -> Job[None]:
    """Find the tone curve of a trained unit whose options ask for one: on the twin, of training images.

    Args:
        session: Its unit is changed; nothing is done to one without a tone curve.
    """
    if not session.options.tone_curve:
        return
    session.odu.reset_tone_curve()
    rng = torch.Generator().manual_seed(session.options.seed)
    real = session.images.train[torch.randperm(len(session.images.train), generator=rng)[:2_000]]
    images: Tensor | None = None
    yield StageStarted("finding the tone curve", session.options.sampler_steps)
    for event in generate(session, IMAGES, "twin", seed=session.options.seed + SEED):
        # These images are not the run's: only the progress is reported.
        if isinstance(event, GenerationStep):
            images = torch.from_numpy(event.images)
            yield EvaluationStep(event.step, event.total, f"t = {event.t}")
    if images is not None:
        session.odu.set_tone_curve(matching_levels(images.clamp(-1.0, 1.0), real))
