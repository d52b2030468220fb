"""The command line as a user meets it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive
from labdiff.calibrations.routines import ALL
from labdiff.runs.reader import read_run

STEPS = {"offline": 12, "calibrated": 8, "online": 8}
STEP_WORDS = [w for name, count in STEPS.items() for w in (f"--{name}-steps", str(count))]
QUICK_TRAIN = ("--layer-sets", "3", "--batch", "4", "--generated", "16", *STEP_WORDS)


def labdiff(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "labdiff", *map(str, arguments)]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=480, check=False
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = labdiff("train", "--out", folder, *QUICK_TRAIN, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["mse_wiener"] < figures["mse_identity"]
    assert figures["discrepancy_after"] < 0.05 < figures["discrepancy_before"]
    return folder / "run.h5"


def test_run_and_report_hold_the_whole_story(trained: Path) -> None:
    run = read_run(trained)
    assert run.outcome == "completed"
    methods = list(run.columns["training"]["method"])
    # The second and third layer set take a quarter of the first one's steps.
    assert {name: methods.count(name) for name in STEPS} == {
        name: count + 2 * count // 4 for name, count in STEPS.items()
    }
    assert run.generated["images"].shape == (16, 10, 10)
    page = trained.with_name("report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 4
    # A bare "http" is also four letters that base64 may hold by chance.
    assert "://" not in page


def test_images_are_generated_from_a_run(trained: Path, tmp_path: Path) -> None:
    done = labdiff("generate", trained, "--out", tmp_path / "grid.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_layers_are_evaluated_beside_baselines_and_real_images(
    trained: Path, tmp_path: Path
) -> None:
    done = labdiff(
        *("evaluate", trained, "--count", "40", "--out", tmp_path / "scores", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    means = figures["mean_errors"]
    assert means["wiener_each_t"]["clean_mse"] < means["wiener"]["clean_mse"]
    assert means["odu"]["clean_mse"] < means["identity"]["clean_mse"]
    (images,) = figures["images"]
    assert (images["features"], images["count"], images["real_count"]) == ("classifier", 40, 40)
    assert "10x10, not resized" in images["preparation"]
    assert set(images["figures"]) == {"classifier_fid", "classifier_kid", "classifier_is"}
    distance = images["figures"]["classifier_fid"]
    assert distance["real"] < distance["low"] < distance["value"] < distance["high"]
    scores = tmp_path / "scores"
    kept = json.loads((scores / "evaluation.json").read_text(encoding="utf-8"))
    assert kept == figures
    # Four predictors, ten ranges of 100 timesteps, and the names of the columns.
    assert len((scores / "errors.csv").read_text(encoding="utf-8").splitlines()) == 41
    for name in ("errors.png", "images.png"):
        assert (scores / name).read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in scores.iterdir()} == {
        *("evaluation.json", "errors.csv", "errors.png", "images.png"),
    }


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bench.toml and its calibrations, which a kill interrupted once."""
    folder = tmp_path_factory.mktemp("calibration")
    assert labdiff("init", "bench.toml", cwd=folder).returncode == 0
    words = [sys.executable, "-m", "labdiff", "calibrate", "--bench", "bench.toml"]
    process = subprocess.Popen(
        words, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    frames = folder / "bench-seed0.calibration" / "unfinished.frames"
    while _records(frames) < 20:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    process.kill()
    process.wait()
    done = labdiff("calibrate", "--bench", "bench.toml", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures["verdicts"]) == set(ALL)
    assert set(figures["verdicts"].values()) <= {"pass", "warn"}
    return folder


def _records(path: Path) -> int:
    return path.read_bytes().count(b'"request"') if path.exists() else 0


def test_calibrations_are_kept_with_their_verdicts_and_resume_to_the_frame(
    calibrated: Path,
) -> None:
    archive = CalibrationArchive(calibrated / "bench-seed0.calibration")
    kept = {name: archive.history(name) for name in ALL}
    assert all(len(past) == 1 for past in kept.values())
    resumed = sum(past[0].provenance.resumed_frames for past in kept.values())
    assert resumed >= 20
    alignment = kept["alignment"][0]
    assert isinstance(alignment.result, AlignmentFound)
    assert len(alignment.result.names) == len(alignment.result.sigma) > 90
    assert "d_alpha_beam_mrad[0]" in alignment.result.names
    assert alignment.provenance.parents["registration"] == kept["registration"][0].id
    assert not list(archive.folder.glob("unfinished*"))
    page = (archive.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 3
    # A bare "http" is also four letters that base64 may hold by chance.
    assert "://" not in page


def test_a_look_finds_a_bench_that_stood_still_fresh_and_measures_nothing(calibrated: Path) -> None:
    done = labdiff("calibrate", "--bench", "bench.toml", "--json", cwd=calibrated)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures["fresh"]) == set(ALL)
    assert figures["verdicts"] == {}
    done = labdiff("calibrate", "--bench", "bench.toml", "--check", cwd=calibrated)
    assert done.returncode == 0, done.stderr


def test_training_uses_what_is_stored_and_still_holds(calibrated: Path) -> None:
    steps = [word for name in STEPS for word in (f"--{name}-steps", "2")]
    words = ("--bench", "bench.toml", "--layer-sets", "1", "--generated", "0", *steps, "--json")
    done = labdiff("train", *words, "--out", "run", cwd=calibrated)
    assert done.returncode == 0, done.stderr
    assert "fresh  alignment" in done.stderr
    assert "registration ..." not in done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["discrepancy_after"] < 0.05
    assert "mse_offline_bench" not in figures


def test_a_look_finds_a_camera_that_was_moved(calibrated: Path) -> None:
    text = (calibrated / "bench.toml").read_text(encoding="utf-8")
    moved = text.replace("offset_px = 3.0 ", "offset_px = 4.0 ")
    assert moved != text
    (calibrated / "moved.toml").write_text(moved, encoding="utf-8")
    folder = calibrated / "bench-seed0.calibration"
    done = labdiff("calibrate", "--bench", "moved.toml", "--out", folder, "--check", cwd=calibrated)
    assert done.returncode == 1, done.stderr
    assert "stale  registration: moved by" in done.stderr
    assert "fresh  phase response" in done.stderr
    assert "stale  alignment" in done.stderr


def test_mistakes_in_asking_for_a_calibration(tmp_path: Path) -> None:
    for words, said in (
        (("--only", "focus"), "--only focus: no such routine; allowed are dark level"),
        (("--all", "--check"), "exclude each other"),
        (("--only", "alignment"), "alignment: rests on registration, phase response, which is not"),
    ):
        done = labdiff("calibrate", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def _interrupt(folder: Path, number: signal.Signals) -> int:
    words = ["train", "--out", str(folder), "--layer-sets", "3", "--offline-steps", "4000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "labdiff", *words],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ},
    )
    # Until a block with steps and a checkpoint is on disk, there is nothing to go on from.
    while not _has_checkpoint(folder / "run.h5"):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
    process.send_signal(number)
    return process.wait(60)


def _has_checkpoint(path: Path) -> bool:
    if not path.exists():
        return False
    with h5py.File(path, "r") as file:
        return "checkpoint" in file["entry"] and "training" in file["entry/events"]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a process as on POSIX")
def test_ctrl_c_and_kill_leave_a_file_that_goes_on(tmp_path: Path) -> None:
    assert _interrupt(tmp_path / "c", signal.SIGINT) == 130
    assert read_run(tmp_path / "c" / "run.h5").outcome == "stopped"
    assert _interrupt(tmp_path / "k", signal.SIGKILL) == -signal.SIGKILL
    assert read_run(tmp_path / "k" / "run.h5").outcome == "running"
    for folder in (tmp_path / "c", tmp_path / "k"):
        path = folder / "run.h5"
        before = read_run(path).columns["training"]["twin_mse"]
        with h5py.File(path, "r+") as file:
            # Little is left to do: what is tested is that it goes on, not how long it takes.
            options = json.loads(file["entry/config"].attrs["options"])
            options.update(offline_steps=1, calibrated_steps=1, online_steps=1, generated=0)
            file["entry/config"].attrs["options"] = json.dumps(options)
        done = labdiff("train", "--resume", path, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        resumed = read_run(path)
        assert resumed.outcome == "completed"
        training = resumed.columns["training"]
        assert set(training["method"]) == set(STEPS)
        first_set = (training["method"] == "offline") & (training["layer_set"] == 0)
        # What came after the last checkpoint happens again; what came before it is kept.
        assert 1 <= first_set.sum() <= len(before)
        np.testing.assert_array_equal(training["twin_mse"][first_set], before[: first_set.sum()])


def test_mistakes_are_one_line_with_exit_code_2(trained: Path, tmp_path: Path) -> None:
    def write(name: str, old: str, new: str) -> Path:
        labdiff("init", tmp_path / name, cwd=tmp_path)
        path = tmp_path / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    unknown = write("key.toml", "waist_mm", "waste_mm")
    wrong = write("range.toml", "wavelength_nm = 850.0", "wavelength_nm = 0.85")
    driver = write("driver.toml", '[camera]\ndriver = "mock"', '[camera]\ndriver = "balser"')
    unplugged = write("unplugged.toml", "script = []", 'script = ["unplugged@31-"]')
    corrupt = tmp_path / "corrupt.h5"
    corrupt.write_bytes(trained.read_bytes()[:5000])
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    cases: dict[str, tuple[object, ...]] = {
        "no such bench file": ("train", "--bench", "nothing.toml"),
        "did you mean 'waist_mm'": ("train", "--bench", unknown),
        "greater than or equal to 200": ("train", "--bench", wrong),
        "does not divide the patch": ("train", "--image-size", "7"),
        "needs whole numbers, as 100,200,400": ("train", "--timestep-edges", "1-9"),
        "3 layer sets need 2 edges that rise within 1 ... 999": (
            *("train", "--timestep-edges", "300", "--layer-sets", "3"),
        ),
        "edges [400, 200]: 3 layer sets need": ("train", "--timestep-edges", "400,200"),
        "further_steps = 0.0: input should be greater than 0": ("train", "--further-steps", "0"),
        "eta = 4.0: input should be less than or equal to 3": ("train", "--eta", "4"),
        "sampler_steps 50: from t = 999 down to least_t = 980": ("train", "--least-t", "980"),
        "cells = 'round': input should be 'sharp' or 'soft'": ("train", "--cells", "round"),
        "writing = 'double': input should be 'cells' or": ("train", "--writing", "double"),
        "eta = 3.5: input should be less than or equal to 3": ("generate", "--eta", "3.5"),
        "contrast = 9.0: input should be less than or equal to 2": ("generate", "--contrast", "9"),
        "sampler_steps 1000: from t = 999 down to least_t = 10 there are 990": (
            *("generate", "--steps", "1000", "--least-t", "10"),
        ),
        "Did you mean 'basler'": ("train", "--bench", driver),
        "cannot be written": ("train", "--out", blocked / "sub"),
        "exists already": ("train", "--out", trained.parent),
        "not a readable HDF5 file": ("report", corrupt),
        "LABDIFF_DATA": ("train", "--data", "mnist", "--data-dir", tmp_path),
        "allowed are twin, bench": ("evaluate", trained, "--where", "sky"),
        "--out file: cannot be made": ("evaluate", trained, "--out", "file"),
        "no such run file": ("evaluate", "nothing.h5"),
        "not readable as Inception weights": (
            *("evaluate", trained, "--inception-weights", blocked),
        ),
        "check cable and power": (
            *("train", "--bench", unplugged, "--out", tmp_path / "u", *QUICK_TRAIN),
        ),
    }
    for words, arguments in cases.items():
        done = labdiff(*arguments, cwd=tmp_path)
        said = " ".join(done.stderr.split())
        assert done.returncode == 2, (words, said)
        assert words in said
        assert "Traceback" not in said
    assert read_run(tmp_path / "u" / "run.h5").outcome == "failed"
