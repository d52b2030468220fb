"""Units whose layer sets belong to clusters: what is written, drawn, scored, stored and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from labdiff.config.bench import bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.diffusion.time_aware_policy import TimeAwarePolicy
from labdiff.errors import UserError
from labdiff.events import Event, GenerationStep
from labdiff.generation.cluster_wiener import ClusterWieners
from labdiff.generation.denoise import baselines, denoise, score, scored_images
from labdiff.generation.drawn_clusters import draw_clusters, start_images
from labdiff.generation.sample import generate
from labdiff.job import run
from labdiff.metrics.baselines import WienerDenoiser
from labdiff.metrics.noise_error import mse_of
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.image_clusters import nearest_clusters, statistics_of
from labdiff.session.layer_file import read_layers, write_layers
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.twin_only import TwinTraining
from twin.denoising_unit import OpticalDenoisingUnit

BENCH = bench_text("mock")[1].replace("patch_shape = [100, 100]", "patch_shape = [20, 20]")
OPTIONS = TrainingOptions(
    layer_sets=2,
    clusters=6,
    first_t=700,
    tone_curve=True,
    prediction="preconditioned",
    offline_steps=3,
    batch=4,
    sampler_steps=4,
)


def session_of(options: TrainingOptions) -> TrainingSession:
    return TrainingSession.create(CalibratedBench(parse_bench(BENCH, "test")), options)


@pytest.fixture(scope="module")
def session() -> TrainingSession:
    return session_of(OPTIONS)


def blobs(rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return images around three far mean images, three times as many around the first, and these."""
    means = torch.rand(3, 4, 4, generator=rng) * 2.0 - 1.0
    of = torch.tensor([0] * 60 + [1] * 20 + [2] * 20)
    return means[of] + 0.01 * torch.randn(100, 4, 4, generator=rng), means


def test_clusters_are_found_with_their_means_weights_and_what_is_left() -> None:
    images, means = blobs(torch.Generator().manual_seed(0))
    found = statistics_of(images, None, 0, 3, seed=0)
    assert found.cluster_means is not None and found.cluster_weights is not None
    order = nearest_clusters(found.cluster_means, means)
    assert sorted(order.tolist()) == [0, 1, 2]
    torch.testing.assert_close(found.cluster_means[order], means, atol=0.01, rtol=0.0)
    torch.testing.assert_close(found.cluster_weights[order], torch.tensor([0.6, 0.2, 0.2]))
    assert found.deviation == pytest.approx(0.01, rel=0.1)


def test_with_prompts_a_cluster_has_images_of_one_class_alone() -> None:
    session = session_of(OPTIONS.model_copy(update={"prompt": True}))
    assert session.classes == (0, 1, 2) and session.odu.layout.prompts == 0
    for cluster, members in enumerate(session.members):
        labels = set(session.images.train_labels[members].tolist())
        assert labels == {session.classes[cluster // 2]}
    prompted = draw_clusters(session, 30, torch.tensor([0, 2, 2] * 10), seed=1)
    assert set((prompted // 2).tolist()) == {0, 2}
    assert (prompted[0::3] // 2 == 0).all() and (prompted[1::3] // 2 == 2).all()


def test_clusters_that_no_class_can_share_are_refused() -> None:
    with pytest.raises(
        UserError, match="clusters = 4: with a prompt it has to be a multiple of the 3"
    ):
        session_of(OPTIONS.model_copy(update={"prompt": True, "clusters": 4}))


def test_every_layer_set_has_its_cluster_and_its_timesteps(session: TrainingSession) -> None:
    policy = TimeAwarePolicy(700, 2, clusters=6)
    assert len(session.odu.phases) == 12
    for layer_set in range(12):
        first, end = policy.bounds(layer_set)
        cluster = policy.cluster(layer_set)
        assert policy.layer_set(first, cluster) == policy.layer_set(end - 1, cluster) == layer_set
        batch = draw_batch(session, "offline", layer_set, 0)
        assert first <= int(batch.t.min()) and int(batch.t.max()) < end
        whole = batch.clean + session.odu.cluster_means[cluster]
        assert nearest_clusters(session.odu.cluster_means, whole).tolist() == [cluster] * 4
        noise = session.schedule.add_noise(batch.clean, batch.noise, batch.t)
        torch.testing.assert_close(batch.x_t, noise)


def test_the_noise_predicted_is_that_of_the_residual_and_images_stay_in_their_range(
    session: TrainingSession,
) -> None:
    rng = torch.Generator().manual_seed(4)
    x_t = torch.randn(6, 10, 10, generator=rng)
    t, clusters = torch.tensor([50, 400, 699, 50, 400, 699]), torch.arange(6)
    predicted, _ = denoise(session, x_t, t, "twin", clusters=clusters)
    odu, schedule, policy = session.odu, session.schedule, session.policy
    abar = schedule.alphas_bar[t]
    clean = (x_t - (1.0 - abar).sqrt().view(-1, 1, 1) * predicted) / abar.sqrt().view(-1, 1, 1)
    assert float(clean.abs().max()) <= 1.0 + 1e-3
    for k in range(6):
        layer_set = policy.layer_set(int(t[k]), k)
        less = odu.residual(x_t[k : k + 1], abar[k : k + 1], k)
        with torch.no_grad():
            light = session.calibrated.twin(
                *session.calibrated.displayed(*odu.encode(less, layer_set))
            )
            expected = odu.decode(light, less, abar[k : k + 1], layer_set)
        torch.testing.assert_close(predicted[k : k + 1], expected, atol=1e-4, rtol=1e-4)


def test_clusters_are_drawn_by_their_weights_to_within_an_image(session: TrainingSession) -> None:
    drawn = draw_clusters(session, 200, None, seed=5)
    counts = torch.bincount(drawn, minlength=6)
    assert float((counts - 200 * session.odu.cluster_weights).abs().max()) <= 1.0
    assert drawn.tolist() != sorted(drawn.tolist())


def test_a_process_that_starts_late_starts_about_the_mean_of_its_cluster(
    session: TrainingSession,
) -> None:
    clusters = torch.tensor([3]).expand(20_000)
    rng = torch.Generator().manual_seed(6)
    start = start_images(session, torch.randn(20_000, 10, 10, generator=rng), clusters)
    abar = session.schedule.abar(699)
    mean = abar**0.5 * session.odu.cluster_means[3]
    torch.testing.assert_close(start.mean(0), mean, atol=0.04, rtol=0.0)
    assert float(start.std(0).mean()) == pytest.approx((1.0 - abar) ** 0.5, rel=0.01)
    seen = [event.t for event in generated_steps(session)]
    assert seen[0] == 699 and seen == sorted(seen, reverse=True)


def generated_steps(session: TrainingSession) -> list[GenerationStep]:
    found: list[GenerationStep] = []

    def keep(event: Event) -> None:
        if isinstance(event, GenerationStep):
            found.append(event)

    run(generate(session, 2, "twin"), watch=[keep])
    return found


def test_wieners_prediction_knows_the_cluster_too(session: TrainingSession) -> None:
    noisy = scored_images(session)
    assert int(noisy.t.min()) >= 100 and int(noisy.t.max()) < 700
    known = mse_of(ClusterWieners(session).knowing(noisy.clean), noisy)
    blind = mse_of(WienerDenoiser(session.images.train, session.schedule), noisy)
    assert known < blind
    assert baselines(session)["mse_wiener"] == pytest.approx(known)
    assert score(session, "twin")[0] > known


def test_a_training_resumes_with_its_clusters_and_its_file_generates_the_same(
    tmp_path: Path,
) -> None:
    trained = run(TwinTraining(tmp_path / "run.h5", BENCH, OPTIONS).job())
    again = run(TwinTraining(tmp_path / "run.h5", BENCH, OPTIONS).job())
    for name, value in trained.odu.state_dict().items():
        assert torch.equal(value, again.odu.state_dict()[name]), name
    levels = trained.odu.tone_levels
    assert bool((levels.diff() >= 0.0).all()) and levels[0] < levels[-1]
    write_layers(tmp_path / "layers.h5", trained, BENCH)
    read = read_layers(tmp_path / "layers.h5").unit
    assert torch.equal(read.cluster_means, trained.odu.cluster_means)
    assert torch.equal(read.cluster_weights, trained.odu.cluster_weights)
    assert torch.equal(read.tone_levels, levels)


def test_without_clusters_a_unit_has_no_such_buffers() -> None:
    names = set(OpticalDenoisingUnit(1, 1, (4, 4), (2, 2)).state_dict())
    assert not names & {"cluster_means", "cluster_weights", "tone_levels"}


def test_a_process_of_more_steps_than_timesteps_is_refused() -> None:
    with pytest.raises(UserError, match="from t = 29 down to least_t = 0 there are 30"):
        TrainingOptions(first_t=30, sampler_steps=31)
