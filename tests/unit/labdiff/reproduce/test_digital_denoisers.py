"""The digital peers: shapes, counts by closed form, learning, and going on after a cut."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest
import torch
from torch import nn

from labdiff.data.image_set import load_images
from labdiff.diffusion.schedule import NoiseSchedule
from labdiff.errors import UserError
from labdiff.events import DenoiserStep
from labdiff.job import run
from labdiff.metrics.noise_error import held_out_noisy, mse_of, noise_mse
from labdiff.reports.progress_bar import ProgressBar
from labdiff.reproduce.digital_denoisers.architectures import ARCHITECTURES, build_denoiser
from labdiff.reproduce.digital_denoisers.counting import multiply_adds, parameters
from labdiff.reproduce.digital_denoisers.denoiser import DigitalDenoiser
from labdiff.reproduce.digital_denoisers.prediction import denoiser, predictor
from labdiff.reproduce.digital_denoisers.store import load_denoiser
from labdiff.reproduce.digital_denoisers.time_embedding import TimeEmbedding
from labdiff.reproduce.digital_denoisers.training import DenoiserTraining, train_denoiser
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder

SMALL = {
    "fully connected net": {"width": 128, "working_size": 8},
    "U-Net": {"channels": 4, "working_size": 8, "time_dimensions": 16},
}
both = pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))


def small(architecture: str, seed: int = 0) -> DigitalDenoiser:
    return build_denoiser(architecture, (8, 8), seed, **SMALL[architecture])


def digits() -> torch.Tensor:
    return load_images("digits", 8, (0, 1, 2)).train


@both
def test_noise_has_the_size_of_the_image(architecture: str) -> None:
    net = build_denoiser(architecture, (6, 9), **SMALL[architecture])
    rng = torch.Generator().manual_seed(0)
    x_t = torch.randn(3, 6, 9, generator=rng)
    assert predictor(net)(x_t, torch.tensor([0, 500, 999])).shape == (3, 6, 9)
    assert denoiser(net)(x_t, 7).shape == (3, 6, 9)


@both
def test_an_image_is_denoised_alike_in_any_batch(architecture: str) -> None:
    net = small(architecture)
    run(train_denoiser(net, digits(), DenoiserTraining(48, 16), NoiseSchedule(), None))
    rng = torch.Generator().manual_seed(1)
    x_t = torch.randn(7, 8, 8, generator=rng)
    t = torch.arange(0, 700, 100)
    together = predictor(net)(x_t, t)
    alone = torch.cat([predictor(net)(x_t[i : i + 1], t[i : i + 1]) for i in range(7)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together, predictor(net, batch=2)(x_t, t), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together, predictor(net)(x_t, t + 200)), "it is told the time"


@pytest.mark.parametrize(
    ("architecture", "steps", "share"), [("fully connected net", 150, 0.75), ("U-Net", 50, 0.5)]
)
def test_training_lowers_the_held_out_error(architecture: str, steps: int, share: float) -> None:
    net, images, schedule = (
        small(architecture),
        load_images("digits", 8, (0, 1, 2)),
        NoiseSchedule(),
    )
    noisy = held_out_noisy(images.test, schedule, 200, seed=3)
    nothing = noise_mse(torch.zeros_like(noisy.noise), noisy.noise)
    options = DenoiserTraining(32 * steps, 32, learning_rate=1e-2)
    seen: list[DenoiserStep] = []

    def watch(event: object) -> None:
        if isinstance(event, DenoiserStep):
            seen.append(event)

    run(train_denoiser(net, images.train, options, schedule, None), record=[watch])
    assert mse_of(predictor(net), noisy) < share * nothing
    assert [event.step for event in seen] == list(range(steps))
    assert {(event.peer, event.total) for event in seen} == {(architecture, steps)}


@both
def test_a_cut_training_ends_with_the_same_weights(architecture: str, tmp_path: Path) -> None:
    options, schedule = DenoiserTraining(320, 32, seed=4), NoiseSchedule()
    whole = small(architecture)
    run(train_denoiser(whole, digits(), options, schedule, None))

    path = tmp_path / "peer.h5"
    job = train_denoiser(small(architecture), digits(), options, schedule, path)
    while not (isinstance(event := next(job), DenoiserStep) and event.step == 5):
        pass
    job.close()
    resumed = small(architecture, seed=99)
    job = train_denoiser(resumed, digits(), options, schedule, path)
    steps = [event.step for event in job if isinstance(event, DenoiserStep)]
    assert steps == [6, 7, 8, 9]
    kept = load_denoiser(path)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
        assert torch.equal(value, kept.state_dict()[name]), name
    assert not kept.training
    assert not list(tmp_path.glob("*.part"))

    again = small(architecture, seed=98)
    job = train_denoiser(again, digits(), options, schedule, path)
    assert not [event for event in job if isinstance(event, DenoiserStep)], "it has ended"
    assert torch.equal(again.state_dict()[name], whole.state_dict()[name])


def test_updates_are_recorded_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = train_denoiser(small("U-Net"), digits(), DenoiserTraining(64, 16), NoiseSchedule(), None)
    with Recorder(tmp_path / "run.h5", "", "{}", 0) as recorder, ProgressBar() as progress:
        run(job, record=[recorder], watch=[progress])
    columns = read_run(tmp_path / "run.h5").columns["peers"]
    assert list(columns["step"]) == [0, 1, 2, 3]
    assert set(columns["peer"]) == {"U-Net"}
    assert (columns["mse"] > 0.0).all()
    said = capsys.readouterr().err
    assert "learning, U-Net" in said and "MSE" in said


def test_a_file_of_another_training_is_named(tmp_path: Path) -> None:
    path, schedule = tmp_path / "peer.h5", NoiseSchedule()
    options = DenoiserTraining(32, 16)
    run(train_denoiser(small("U-Net"), digits(), options, schedule, path))
    with pytest.raises(UserError, match="peer.h5: .* another architecture"):
        run(train_denoiser(small("fully connected net"), digits(), options, schedule, path))
    wider = build_denoiser("U-Net", (8, 8), channels=8, working_size=8, time_dimensions=16)
    with pytest.raises(UserError, match="another settings"):
        run(train_denoiser(wider, digits(), options, schedule, path))
    with pytest.raises(UserError, match="another training"):
        run(train_denoiser(small("U-Net"), -digits(), options, schedule, path))


def test_files_that_hold_no_peer_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none.h5: no such file"):
        load_denoiser(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5", encoding="utf-8")
    with pytest.raises(
        UserError, match="text.h5: cannot be read.*expected a file of a digital denoiser"
    ):
        load_denoiser(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["definition"] = "something else"
    with pytest.raises(UserError, match="other.h5: an HDF5 file, but not"):
        load_denoiser(tmp_path / "other.h5")


def test_the_unet_has_32_convolutions_and_the_fully_connected_net_4_times_1200() -> None:
    unet = build_denoiser("U-Net", (20, 20))
    kernels = [m.kernel_size for m in unet.modules() if isinstance(m, nn.Conv2d)]
    assert kernels.count((3, 3)) == 32
    linear = [
        m
        for m in build_denoiser("fully connected net", (20, 20)).modules()
        if isinstance(m, nn.Linear)
    ]
    assert [m.out_features for m in linear] == [1200] * 4 + [400]
    assert linear[0].in_features == 76 * 76


def test_counts_of_the_fully_connected_net_by_closed_form() -> None:
    net = build_denoiser("fully connected net", (20, 20))
    weights = 76**2 * 1200 + 3 * 1200**2 + 1200 * 400
    assert multiply_adds(net) == weights
    # A bias each, and batch norm's scale and offset for the four layers.
    assert parameters(net) == weights + 3 * 4 * 1200 + 400


def test_counts_of_the_unet_by_closed_form() -> None:
    c, side, time = 4, 8, 16

    def stage(before: int, after: int, pixels: int) -> int:
        """Six 3x3 convolutions; a 1x1 where channels change; the time for three blocks."""
        shortcut = before * after * pixels if before != after else 0
        return 9 * pixels * (before * after + 5 * after * after) + shortcut + 3 * time * after

    fine, coarse, coarsest = side**2, side**2 // 4, side**2 // 16
    expected = (
        2 * 9 * c * fine  # into and out
        + time * time
        + stage(c, c, fine)
        + stage(c, 2 * c, coarse)
        + stage(2 * c, 4 * c, coarsest)
        + stage(6 * c, 2 * c, coarse)
        + stage(3 * c, c, fine)
    )
    net = small("U-Net")
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert multiply_adds(net) == expected
    assert net.training, "counting leaves the net as it was"
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())


def test_the_time_embedding_runs_from_one_turn_in_six_steps_to_almost_none() -> None:
    embedding = TimeEmbedding(8)
    t = torch.tensor([0, 3, 999])
    values = embedding(t)
    torch.testing.assert_close(values[:, :4].square() + values[:, 4:].square(), torch.ones(3, 4))
    torch.testing.assert_close(values[:, 0], torch.sin(t.float()))
    torch.testing.assert_close(values[:, 3], torch.sin(t / 10_000.0))
    with pytest.raises(ValueError, match="even number"):
        TimeEmbedding(7)
