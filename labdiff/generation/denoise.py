"""Score a session on held-out images, on the twin or on the bench, beside the baselines."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from labdiff.metrics.baselines import WienerDenoiser, identity_prediction
from labdiff.metrics.noise_error import NoisyImages, held_out_noisy, mse_of, noise_mse
from labdiff.session.session import Session
from twin.discrepancy import discrepancy

IMAGES = 300
"""Held-out noisy images of one score: the standard error of the mean is then about 4 %."""

TOGETHER = 100
"""Images that the twin is given at a time: what fits in memory with layers of 300 x 300."""

FRAMES_COMPARED = 8
"""Frames of a batch that are laid beside the twin's: for the discrepancy, and to follow drift."""


def baselines(session: Session) -> dict[str, float]:
    """mse_identity and mse_wiener on the images on which the session is scored."""
    noisy = scored_images(session)
    wiener = WienerDenoiser(session.images.train, session.schedule)
    return {
        "mse_identity": noise_mse(identity_prediction(noisy.x_t), noisy.noise),
        "mse_wiener": mse_of(wiener, noisy),
    }


def scored_images(session: Session) -> NoisyImages:
    """The same held-out images, timesteps and noise for every score of a run."""
    return held_out_noisy(
        session.images.test, session.schedule, IMAGES, seed=10_000 + session.options.seed
    )


def denoise(
    session: Session,
    x_t: Tensor,
    t: Tensor,
    where: Literal["twin", "bench"],
    prompts: Tensor | None = None,
) -> tuple[Tensor, float]:
    """Predicted noise (B, H, W), and the discrepancy between twin and bench (nan on the twin).

    prompts (B,): blocks of the classes asked for; without them no class is told.
    """
    predicted = torch.empty_like(x_t)
    distances = []
    odu = session.odu
    sets = torch.tensor([session.policy.layer_set(int(step)) for step in t])
    # The bench writes a layer set once for all its images.
    together = TOGETHER if where == "twin" else max(len(t), 1)
    groups = [
        (layer_set, some)
        for layer_set in sorted(set(sets.tolist()))
        for some in (sets == layer_set).nonzero()[:, 0].split(together)
    ]
    with torch.no_grad():
        for layer_set, mine in groups:
            asked = None if prompts is None else prompts[mine]
            inputs, layers = session.written(*odu.written(x_t[mine], layer_set, prompts=asked))
            if where == "twin":
                intensity = session.twin(inputs, layers)
            else:
                intensity = session.measure(inputs, layers)
                shown = session.first(FRAMES_COMPARED, inputs, layers)
                seen = intensity[:FRAMES_COMPARED]
                distances.append(discrepancy(seen, session.twin(*shown)))
                session.follow(*shown, seen)
            abar = session.schedule.alphas_bar[t[mine]]
            predicted[mine] = odu.decode(intensity, x_t[mine], abar, layer_set)
    return predicted, float(torch.cat(distances).mean()) if distances else float("nan")


def score(session: Session, where: Literal["twin", "bench"]) -> tuple[float, float]:
    """Noise MSE on held-out images, t uniform in [100, 1000), and the discrepancy."""
    noisy = scored_images(session)
    predicted, distance = denoise(session, noisy.x_t, noisy.t, where)
    return noise_mse(predicted, noisy.noise), distance
