"""Predict noise on the twin or on the bench, and score the predictions on held-out images."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from labdiff.metrics.baselines import WienerDenoiser, identity_prediction
from labdiff.metrics.noise_error import NoisyImages, held_out_noisy, mse_of, noise_mse
from labdiff.metrics.range_baselines import RangeBaseline, range_baselines
from labdiff.session.denoiser import Denoiser
from labdiff.session.training_session import TrainingSession
from twin.discrepancy import discrepancy

SCORED_IMAGES = 300
"""Number of held-out noisy images of one score: the standard error of the mean is then about 4 %."""

TWIN_BATCH = 100
"""Number of images that the twin is given at a time: what fits in memory with layers of 300 x 300."""

FRAMES_COMPARED = 8
"""Number of frames of a batch that are compared with the twin's: for the discrepancy and the drift."""


def baselines(session: TrainingSession) -> dict[str, float]:
    """Return mse_identity and mse_wiener on the images on which the session is scored."""
    noisy = scored_images(session)
    wiener = WienerDenoiser(session.images.train, session.schedule)
    session.range_baselines = session_range_baselines(session, wiener)
    return {
        "mse_identity": noise_mse(identity_prediction(noisy.x_t), noisy.noise),
        "mse_wiener": mse_of(wiener, noisy),
    }


def session_range_baselines(
    session: TrainingSession, wiener: WienerDenoiser | None = None
) -> tuple[RangeBaseline, ...]:
    """Return the baselines of each layer set; wiener: that of the training images, if it is known."""
    if session.range_baselines:
        return session.range_baselines
    images, schedule = session.images, session.schedule
    known = wiener or WienerDenoiser(images.train, schedule)
    seed = 10_000 + session.options.seed
    return range_baselines(known, images.test, schedule, session.policy, seed)


def scored_images(session: TrainingSession) -> NoisyImages:
    """Return the held-out images, timesteps and noise that every score of a run shares."""
    seed = 10_000 + session.options.seed
    return held_out_noisy(session.images.test, session.schedule, SCORED_IMAGES, seed=seed)


def denoise(
    denoiser: Denoiser,
    x_t: Tensor,
    t: Tensor,
    where: Literal["twin", "bench"],
    prompts: Tensor | None = None,
    light_off: bool = False,
) -> tuple[Tensor, float]:
    """Return the predicted noise (B, H, W), and the discrepancy between twin and bench (nan on the twin).

    With the light off electronics alone denoise: of each batch all images get the batch's mean intensity,
    which says nothing of any one of them.

    Args:
        denoiser: the trained unit on its bench or twin.
        x_t: (B, H, W), noisy images.
        t: (B,), their timesteps; images of the same layer set are denoised together.
        where: what denoises: the bench, or its twin.
        prompts: (B,), blocks of the classes prompted; none if None.
        light_off: whether the intensity is replaced by its mean over the images.
    """
    odu, calibrated = denoiser.odu, denoiser.calibrated
    predicted = torch.empty_like(x_t)
    discrepancies = []
    sets = torch.tensor([denoiser.policy.layer_set(int(step)) for step in t])
    # The bench writes a layer set once for all its images.
    most = TWIN_BATCH if where == "twin" else max(len(t), 1)
    groups = [
        (layer_set, group)
        for layer_set in sorted(set(sets.tolist()))
        for group in (sets == layer_set).nonzero()[:, 0].split(most)
    ]
    with torch.no_grad():
        for layer_set, group in groups:
            prompt = None if prompts is None else prompts[group]
            encoded = odu.encode(x_t[group], layer_set, prompts=prompt)
            inputs, layers = calibrated.displayed(*encoded)
            if where == "twin":
                intensity = calibrated.twin(inputs, layers)
            else:
                intensity = calibrated.measure(inputs, layers)
                compared = intensity[:FRAMES_COMPARED]
                # Layers that all images share stay as they are.
                displayed = (
                    inputs[:FRAMES_COMPARED],
                    layers[:FRAMES_COMPARED] if layers.dim() == 4 else layers,
                )
                discrepancies.append(discrepancy(compared, calibrated.twin(*displayed)))
                calibrated.follow_drift(*displayed, compared)
            if light_off:
                intensity = intensity.mean(0, keepdim=True).expand_as(intensity)
            abar = denoiser.schedule.alphas_bar[t[group]]
            predicted[group] = odu.decode(intensity, x_t[group], abar, layer_set)
    return predicted, float(torch.cat(discrepancies).mean()) if discrepancies else float("nan")


def score(session: TrainingSession, where: Literal["twin", "bench"]) -> tuple[float, float]:
    """Return the noise MSE on held-out images, t uniform in [100, 1000), and the discrepancy."""
    noisy = scored_images(session)
    predicted, distance = denoise(session, noisy.x_t, noisy.t, where)
    return noise_mse(predicted, noisy.noise), distance
