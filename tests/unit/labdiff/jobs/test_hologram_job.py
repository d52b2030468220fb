"""A hologram: the light that the camera sees is the image that was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from calibration.archive import CalibrationArchive
from calibration.registration import Registration
from calibration.resample import Rectifier
from calibration.result import Verdict
from drivers.types import Roi
from labdiff.bench.mock_bench import open_mock_bench
from labdiff.config.bench import BenchConfig, InputConfig, load_bench
from labdiff.errors import UserError
from labdiff.events import HologramDisplayed, HologramStep
from labdiff.job import run
from labdiff.jobs import hologram_job
from labdiff.jobs.hologram_job import HologramJob
from labdiff.session.models import build_twin


def image(shape: tuple[int, int]) -> np.ndarray:
    """Return a bar and a spot beside its upper end: no flip looks like it."""
    target = np.zeros(shape, np.float32)
    height, width = shape
    target[height // 4 : 3 * height // 4, width // 3 : width // 3 + 4] = 1.0
    target[height // 4 : height // 4 + 5, width // 2 : width // 2 + 8] = 1.0
    return target


def small(imperfections: str) -> BenchConfig:
    config = load_bench("mock-small")
    mock = config.mock.model_copy(update={"imperfections": imperfections})
    return config.model_copy(update={"mock": mock})


def test_the_camera_sees_the_image(tmp_path: Path) -> None:
    config = small("none")
    shape = config.cavity.patch_shape
    bench = open_mock_bench(config, 0)
    job = HologramJob(config, bench, CalibrationArchive(tmp_path), image(shape), steps=80)
    events: list[object] = []
    patches = run(job.job(), record=[events.append])
    steps = [event for event in events if isinstance(event, HologramStep)]
    assert [step.step for step in steps] == list(range(80))
    assert steps[-1].correlation > 0.99 > steps[0].correlation
    (shown,) = [event for event in events if isinstance(event, HologramDisplayed)]
    assert not shown.aligned and shown.patches_rad.shape == (config.layers + 1, *shape)
    assert not patches[0].any(), "the input is flat"
    bench.switch_on()
    camera_px = (
        config.slm.pixel_pitch_um * config.relay.magnification / config.camera.pixel_pitch_um
    )
    middle = [
        (n - 1) / 2.0 - camera_px * (p - 1) / 2.0
        for n, p in zip(bench.camera.shape, shape, strict=True)
    ]
    known = Registration(camera_px * np.eye(2), np.array(middle), 0.0, 0.0, Verdict("pass", ""))
    frame = bench.camera.get_frame()
    whole = Roi(0, 0, *bench.camera.shape)
    seen = Rectifier(known, whole, shape)(frame.pixels[None].astype(np.float32))[0]
    seen = seen - np.median(seen)
    assert np.corrcoef(seen.ravel(), image(shape).ravel())[0, 1] > 0.8
    bench.close()


def test_a_job_that_is_stopped_leaves_the_pattern(tmp_path: Path) -> None:
    config = small("none")
    bench = open_mock_bench(config, 0)
    job = HologramJob(
        config, bench, CalibrationArchive(tmp_path), image(config.cavity.patch_shape), steps=5
    ).job()
    before = bench.laboratory.slm.reported_pattern
    for _ in range(3):
        next(job)
    job.close()
    assert bench.laboratory.slm.reported_pattern == before
    bench.close()


def test_images_that_no_light_can_be_are_refused(tmp_path: Path) -> None:
    config = small("none")
    bench = open_mock_bench(config, 0)
    archive = CalibrationArchive(tmp_path)
    height, width = config.cavity.patch_shape
    with pytest.raises(UserError, match=f"a patch has {height} x {width}"):
        HologramJob(config, bench, archive, np.ones((3, 4), np.float32), 5)
    with pytest.raises(UserError, match="some light in it"):
        HologramJob(config, bench, archive, np.zeros((height, width), np.float32), 5)
    bench.close()


def test_what_is_displayed_undoes_the_tilts_that_the_twin_has_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small("none")
    shape = config.cavity.patch_shape
    tilted = build_twin(config)
    with torch.no_grad():
        for tilt in (tilted.d_alpha_beam_mrad, tilted.d_alpha_mirror_mrad):
            tilt.copy_(torch.tensor([1.5, -1.0]))
    tilted.refining(False)
    monkeypatch.setattr(hologram_job, "_aligned_twin", lambda config, archive: (tilted, True))
    bench = open_mock_bench(config, 0)
    job = HologramJob(config, bench, CalibrationArchive(tmp_path), image(shape), steps=60)
    patches = torch.from_numpy(run(job.job()))
    assert patches[0].abs().max() > 0.1, "the input undoes its tilt"
    with torch.no_grad():
        seen = tilted(patches[:1], patches[1:])[0]
        untilted = build_twin(config)(patches[:1], patches[1:])[0]
    wanted = image(shape).ravel()
    assert np.corrcoef(seen.numpy().ravel(), wanted)[0, 1] > 0.98
    assert np.corrcoef(untilted.numpy().ravel(), wanted)[0, 1] < 0.9
    bench.close()


def test_on_a_bench_with_a_dmd_all_mirrors_are_on(tmp_path: Path) -> None:
    config = small("none").model_copy(update={"input": InputConfig(kind="dmd")})
    bench = open_mock_bench(config, 0)
    shape = config.cavity.patch_shape
    job = HologramJob(config, bench, CalibrationArchive(tmp_path), image(shape), steps=3)
    patches = run(job.job())
    assert len(patches) == config.layers == len(config.cavity.patch_lefts)
    bench.close()
