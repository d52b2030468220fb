"""A run holds what generation needs: its pictures may be gone, and others are not taken for them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from labdiff.config.bench import BenchConfig, bench_text, parse_bench
from labdiff.config.training import TrainingOptions
from labdiff.data.fingerprint import fingerprint
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.job import run
from labdiff.jobs.generation_job import GenerationJob
from labdiff.runs.reader import read_run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.checkpoint import checkpoint_of, data_of, options_to_resume, resume_run
from labdiff.session.layer_export import export_layers
from labdiff.session.layer_file import read_layers
from labdiff.session.trained_unit import read_trained_unit
from labdiff.session.training_session import TrainingSession
from labdiff.training.twin_only import TwinTraining

BENCH = (
    bench_text("mock")[1]
    .replace("patch_shape = [100, 100]", "patch_shape = [20, 20]")
    .replace("waist_mm = 0.60", "waist_mm = 0.12")
)


def pictures(folder: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for number in range(90):
        place = folder / f"kind{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).save(place / f"{number:02d}.png")
    return folder


def options(data: str) -> TrainingOptions:
    return TrainingOptions(
        data=data,
        classes=(),
        image_size=4,
        prompt=True,
        layer_sets=1,
        offline_steps=1,
        batch=2,
        sampler_steps=2,
    )


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run on pictures that were named by a relative path."""
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "pictures")
    path = tmp_path / "run.h5"
    run(TwinTraining(path, BENCH, options("pictures")).job())
    return path


def test_images_are_generated_and_layers_exported_after_the_pictures_were_deleted(
    trained: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "pictures")
    layers = tmp_path / "layers.h5"
    export_layers(trained, layers)
    assert read_layers(layers).training_images == 90 - 64
    for path in (trained, layers):
        assert read_trained_unit(path).classes == (0, 1)
        images = run(GenerationJob(GenerationRequest(path, count=2, label=1)).job())
        assert images.shape == (2, 4, 4) and np.isfinite(images).all()


def test_a_run_knows_the_place_and_the_checksum_of_its_pictures(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = data_of(checkpoint_of(read_run(trained)), "run.h5")
    assert stored is not None
    assert stored.path == str(tmp_path / "pictures")
    assert stored.sha256 == fingerprint(tmp_path / "pictures")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert options_to_resume(read_run(trained)).data == stored.path


def test_other_pictures_are_refused_when_a_run_is_resumed(trained: Path, tmp_path: Path) -> None:
    recorded = read_run(trained)
    session = TrainingSession.create(CalibratedBench(_config()), options_to_resume(recorded))
    resume_run(session, recorded)
    shutil.rmtree(tmp_path / "pictures")
    pictures(tmp_path / "pictures", seed=1)
    other = TrainingSession.create(CalibratedBench(_config()), options_to_resume(recorded))
    with pytest.raises(UserError, match=r"run\.h5: was trained on other pictures: .*pictures"):
        resume_run(other, recorded)


def test_what_is_no_picture_does_not_change_the_checksum(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a")
    before = fingerprint(folder)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    assert fingerprint(folder) == before
    assert fingerprint(pictures(tmp_path / "b")) == before, "the same pictures elsewhere"
    (folder / "kind0" / "00.png").rename(folder / "kind1" / "00.png")
    assert fingerprint(folder) != before, "another class"


def test_a_newer_format_is_refused_in_one_line_and_the_first_one_is_read(
    trained: Path, tmp_path: Path
) -> None:
    layers = tmp_path / "layers.h5"
    export_layers(trained, layers)
    with h5py.File(trained, "r+") as file:
        assert file["entry"].attrs["format"] == 2
        file["entry"].attrs["format"] = 3
    with h5py.File(layers, "r+") as file:
        file.attrs["version"] = 3
    for path in (trained, layers):
        with pytest.raises(UserError) as raised:
            read_trained_unit(path)
        assert str(raised.value) == (
            f"{path}: written by a newer labdiff, format 3; this one reads up to 2. Install a newer one"
        )
    with h5py.File(trained, "r+") as file:
        del file["entry"].attrs["format"]
    assert read_run(trained).outcome == "completed"


def test_unknown_options_are_reported_and_preserved(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with h5py.File(trained, "r+") as file:
        table = json.loads(file["entry/config"].attrs["options"])
        file["entry/config"].attrs["options"] = json.dumps({**table, "momentum": 0.9})
    layers = tmp_path / "layers.h5"
    export_layers(trained, layers)
    assert "run.h5, options: options of another version of labdiff are not used: momentum" in (
        caplog.text
    )
    assert read_layers(layers).options == options("pictures")
    for path, place in ((trained, "entry/config"), (layers, "/")):
        with h5py.File(path) as file:
            assert json.loads(file[place].attrs["options"])["momentum"] == 0.9


def _config() -> BenchConfig:
    return parse_bench(BENCH, "bench")
