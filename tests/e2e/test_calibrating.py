"""A calibration by the command line: killed, resumed, checked, used by trainings that are interrupted."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.config.bench import bench_text, load_bench
from labdiff.runs.reader import read_run
from labdiff.session.models import build_twin
from tests.support.command_line import LabdiffProcess, labdiff
from twin.parameter_vector import value_names

METHODS = ("offline", "calibrated", "online", "physics_aware", "further")


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bench.toml and its calibrations, which a kill interrupted once."""
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "bench.toml").write_text(bench_text("mock-small")[1], encoding="utf-8")
    frames = folder / "bench-seed0.calibration" / "unfinished.frames"
    killed = LabdiffProcess("calibrate", "--bench", "bench.toml", folder=folder)
    killed.wait_until(lambda: _records(frames) >= 20)
    killed.process.kill()
    killed.process.wait()
    done = labdiff("calibrate", "--bench", "bench.toml", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures["verdicts"]) == set(ROUTINE_NAMES)
    assert figures["simulated"] == "simulated: all devices (mock)"
    assert figures["simulated"] in done.stdout.splitlines()
    assert set(figures["verdicts"].values()) <= {"pass", "warn"}
    return folder


def _records(path: Path) -> int:
    return path.read_bytes().count(b'"request"') if path.exists() else 0


def test_calibrations_are_stored_with_their_verdicts_and_resume_to_the_frame(
    calibrated: Path,
) -> None:
    archive = CalibrationArchive(calibrated / "bench-seed0.calibration")
    stored = {name: archive.history(name) for name in ROUTINE_NAMES}
    assert all(len(past) == 1 for past in stored.values())
    resumed = sum(past[0].provenance.resumed_frames for past in stored.values())
    assert resumed >= 20
    alignment = stored["alignment"][0]
    assert alignment.provenance.simulated == "simulated: all devices (mock)"
    assert isinstance(alignment.result, AlignmentFound)
    twin = build_twin(load_bench("mock-small"))
    assert alignment.result.names == value_names(twin)
    assert len(alignment.result.sigma) == len(alignment.result.names)
    assert "d_alpha_beam_mrad[0]" in alignment.result.names
    assert alignment.provenance.parents["registration"] == stored["registration"][0].id
    assert not list(archive.folder.glob("unfinished*"))
    page = (archive.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 3
    # A bare "http" is also four letters that base64 may hold by chance.
    assert "://" not in page


def test_a_check_finds_a_bench_that_stood_still_fresh_and_measures_nothing(
    calibrated: Path,
) -> None:
    done = labdiff("calibrate", "--bench", "bench.toml", "--json", cwd=calibrated)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures["fresh"]) == set(ROUTINE_NAMES)
    assert figures["verdicts"] == {}
    done = labdiff("calibrate", "--bench", "bench.toml", "--check", cwd=calibrated)
    assert done.returncode == 0, done.stderr


def test_a_check_finds_a_camera_that_was_moved(calibrated: Path) -> None:
    text = (calibrated / "bench.toml").read_text(encoding="utf-8")
    moved = text.replace("offset_px = 3.0 ", "offset_px = 4.0 ")
    assert moved != text
    (calibrated / "moved.toml").write_text(moved, encoding="utf-8")
    folder = calibrated / "bench-seed0.calibration"
    done = labdiff("calibrate", "--bench", "moved.toml", "--out", folder, "--check", cwd=calibrated)
    assert done.returncode == 1, done.stderr
    found = one_line(done.stderr)
    assert "stale registration: moved by" in found
    assert "fresh phase response" in found
    assert "stale alignment" in found


@pytest.mark.usefixtures("few_scored_images")
@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a process as on POSIX")
@pytest.mark.parametrize(
    ("number", "code", "outcome"),
    [(signal.SIGINT, 130, "stopped"), (signal.SIGKILL, -signal.SIGKILL, "died")],
)
def test_an_interrupted_run_is_resumed_and_uses_the_calibrations_that_are_stored(
    calibrated: Path, tmp_path: Path, number: signal.Signals, code: int, outcome: str
) -> None:
    shutil.copytree(calibrated, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "interrupted" / "run.h5"
    words = ("--bench", "bench.toml", "--layer-sets", "2", "--offline-steps", "4000")
    training = LabdiffProcess("train", *words, "--out", path.parent, folder=tmp_path)
    # Until a block with steps and a checkpoint is on disk, there is nothing to resume from.
    training.wait_until(lambda: _has_checkpoint(path))
    training.process.send_signal(number)
    assert training.wait().returncode == code
    assert read_run(path).outcome == outcome
    before = read_run(path).columns["training"]["twin_mse"]
    with h5py.File(path, "r+") as file:
        # Little is left to do: what is tested is that it is resumed, not how long it takes.
        options = json.loads(file["entry/config"].attrs["options"])
        options.update(offline_steps=1, calibrated_steps=1, online_steps=1, generated=0)
        options.update(held_out_batches=0, probe_frames=0)
        file["entry/config"].attrs["options"] = json.dumps(options)
    done = labdiff("train", "--resume", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "fresh alignment" in one_line(done.stderr)
    assert "registration ..." not in done.stderr
    resumed = read_run(path)
    assert resumed.outcome == "completed"
    assert resumed.figures["discrepancy_after"] < 0.05
    assert "mse_offline_bench" not in resumed.figures
    training_columns = resumed.columns["training"]
    assert set(training_columns["method"]) == set(METHODS)
    first_set = (training_columns["method"] == "offline") & (training_columns["layer_set"] == 0)
    # What came after the last checkpoint happens again; what came before it is kept.
    assert 1 <= first_set.sum() <= len(before)
    np.testing.assert_array_equal(
        training_columns["twin_mse"][first_set], before[: first_set.sum()]
    )


def one_line(messages: str) -> str:
    return " ".join(messages.split())


def _has_checkpoint(path: Path) -> bool:
    if not path.exists():
        return False
    with h5py.File(path, "r") as file:
        return "checkpoint" in file["entry"] and "training" in file["entry/events"]
