"""Predict noise on the twin or on the bench, and score the predictions on held-out images."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from labdiff.generation.cluster_wiener import ClusterWieners
from labdiff.metrics.baselines import identity_prediction
from labdiff.metrics.noise_error import NoisyImages, held_out_noisy, mse_of, noise_mse
from labdiff.metrics.range_baselines import RangeBaseline, range_baselines
from labdiff.session.denoiser import Denoiser
from labdiff.session.device import CPU, chosen_device
from labdiff.session.training_session import TrainingSession
from twin.discrepancy import discrepancy

SCORED_IMAGES = 300
"""Number of held-out noisy images of one score: the standard error of the mean is then about 4 %."""

TWIN_BATCH = 100
"""Number of images that the twin is given at a time: what fits in memory with layers of 300 x 300."""

FRAMES_COMPARED = 8
"""Number of frames of a batch that are compared with the twin's, for the discrepancy."""

CATCH_UP_ROUNDS = 2
"""Number of times that drift is followed before a score: one step carries not far enough."""


def baselines(session: TrainingSession) -> dict[str, float]:
    """Return mse_identity and mse_wiener on the images on which the session is scored."""
    noisy = scored_images(session)
    wieners = ClusterWieners(session)
    session.range_baselines = session_range_baselines(session, wieners)
    return {
        "mse_identity": noise_mse(identity_prediction(noisy.x_t), noisy.noise),
        "mse_wiener": mse_of(wieners.knowing(noisy.clean), noisy),
    }


def session_range_baselines(
    session: TrainingSession, wieners: ClusterWieners | None = None
) -> tuple[RangeBaseline, ...]:
    """Return the baselines of each layer set; wieners: of the session's clusters, if they are known."""
    if session.range_baselines:
        return session.range_baselines
    known = wieners or ClusterWieners(session)
    return range_baselines(
        [known.of_cluster(cluster) for cluster in range(session.policy.clusters)],
        session.held_out_by_cluster(),
        session.schedule,
        session.policy,
        seed=10_000 + session.options.seed,
    )


def scored_images(session: TrainingSession) -> NoisyImages:
    """Return the held-out images, timesteps and noise that every score of a run shares."""
    options = session.options
    return held_out_noisy(
        session.images.test,
        session.schedule,
        SCORED_IMAGES,
        seed=10_000 + options.seed,
        end_t=options.first_t,
    )


def device_for(denoiser: Denoiser, where: Literal["twin", "bench"]) -> torch.device:
    """Return the device of the options for the twin, and the CPU for a bench, which sets the pace."""
    return chosen_device(denoiser.options.device) if where == "twin" else CPU


def denoise(
    denoiser: Denoiser,
    x_t: Tensor,
    t: Tensor,
    where: Literal["twin", "bench"],
    prompts: Tensor | None = None,
    light_off: bool = False,
    clusters: Tensor | None = None,
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
        clusters: (B,), clusters of the images, for a unit that has some; the first for all if None.
    """
    odu, calibrated, here = denoiser.odu, denoiser.calibrated, denoiser.device
    asked = x_t.device
    policy = denoiser.policy
    of_cluster = [0] * len(t) if clusters is None else clusters.tolist()
    sets = torch.tensor(
        [policy.layer_set(*pair) for pair in zip(t.tolist(), of_cluster, strict=True)]
    )
    x_t, t = x_t.to(here), t.to(here)
    prompts = None if prompts is None else prompts.to(here)
    predicted = torch.empty_like(x_t)
    discrepancies = []
    # The bench writes a layer set once for all its images.
    most = TWIN_BATCH if where == "twin" else max(len(t), 1)
    groups = [
        (layer_set, group)
        for layer_set in sorted(set(sets.tolist()))
        for group in (sets == layer_set).nonzero()[:, 0].split(most)
    ]
    with torch.no_grad():
        for layer_set, group in groups:
            prompt = prompts[group] if prompts is not None and odu.layout.prompts else None
            abar = denoiser.schedule.alphas_bar_at(t[group])
            seen = odu.residual(x_t[group], abar, policy.cluster(layer_set))
            encoded = odu.encode(seen, layer_set, prompts=prompt)
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
            predicted[group] = odu.decode(intensity, seen, abar, layer_set)
    distance = float(torch.cat(discrepancies).mean()) if discrepancies else float("nan")
    return predicted.to(asked), distance


def score(session: TrainingSession, where: Literal["twin", "bench"]) -> tuple[float, float]:
    """Return the noise MSE on held-out images, and the discrepancy between twin and bench.

    t is uniform from 100 on to where the unit denoises. A unit of clusters is given the cluster nearest to
    the clean image, as in generation, where it draws it; Wiener's prediction beside it knows it as well.
    """
    noisy = scored_images(session)
    clusters = session.clusters_of(noisy.clean)
    with session.on(device_for(session, where)):
        # Methods are compared by scores that are minutes of drift apart.
        compared = session.options.comparisons and session.calibrated.aligned
        if where == "bench" and compared:
            _catch_up(session, noisy.x_t, noisy.t)
        predicted, distance = denoise(session, noisy.x_t, noisy.t, where, clusters=clusters)
    return noise_mse(predicted, noisy.noise), distance


def _catch_up(session: TrainingSession, x_t: Tensor, t: Tensor) -> None:
    """Follow the drift of a bench that stood unmeasured, by some images of the first layer set."""
    first = torch.tensor([session.policy.layer_set(each, 0) for each in t.tolist()])
    some = (first == first.min()).nonzero()[:FRAMES_COMPARED, 0]
    for _ in range(CATCH_UP_ROUNDS):
        denoise(session, x_t[some], t[some], "bench")
