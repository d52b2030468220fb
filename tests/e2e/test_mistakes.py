"""A mistake is answered in one line that says what to do, with exit code 2 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from labdiff.config.bench import bench_text
from labdiff.runs.reader import read_run
from tests.support.command_line import Ended, LabdiffProcess, labdiff

OPTIONS: dict[str, tuple[object, ...]] = {
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
}
FILES: dict[str, tuple[object, ...]] = {
    "no such bench file": ("train", "--bench", "nothing.toml"),
    "calibration.toml: no such bench file": ("calibrate", "calibration.toml"),
    "two benches are given: one.toml, and --bench other.toml; name one of them": (
        *("train", "one.toml", "--bench", "other.toml"),
    ),
    "no such run file": ("evaluate", "nothing.h5"),
    "LABDIFF_DATA": ("train", "--data", "mnist", "--data-dir", "."),
    "cannot be written": ("train", "--out", "file/sub"),
}
BENCH_FILES = {
    "did you mean 'waist_mm'": ("waist_mm", "waste_mm"),
    "greater than or equal to 200": ("wavelength_nm = 850.0", "wavelength_nm = 0.85"),
    "Did you mean 'basler'": ('[camera]\ndriver = "mock"', '[camera]\ndriver = "balser"'),
}


def assert_refused(done: Ended, message: str) -> None:
    said = " ".join(done.stderr.split())
    assert done.returncode == 2, said
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize("message", OPTIONS)
def test_an_option_out_of_range_is_refused_with_what_is_allowed(
    message: str, tmp_path: Path
) -> None:
    assert_refused(labdiff(*OPTIONS[message], cwd=tmp_path), message)


@pytest.mark.parametrize("message", FILES)
def test_a_file_that_is_missing_or_cannot_be_written_is_named(message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    assert_refused(labdiff(*FILES[message], cwd=tmp_path), message)


@pytest.mark.parametrize("message", BENCH_FILES)
def test_a_mistake_in_a_bench_file_is_refused_with_its_remedy(message: str, tmp_path: Path) -> None:
    text = bench_text("mock")[1]
    old, new = BENCH_FILES[message]
    assert old in text
    (tmp_path / "bench.toml").write_text(text.replace(old, new), encoding="utf-8")
    assert_refused(labdiff("train", "--bench", "bench.toml", cwd=tmp_path), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "focus"), "--only focus: no such routine; allowed are dark level"),
        (("--all", "--check"), "exclude each other"),
        (
            ("--only", "alignment"),
            "alignment: depends on registration, phase response, which is not",
        ),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    assert_refused(labdiff("calibrate", *arguments, cwd=tmp_path), message)


def test_a_camera_that_is_unplugged_fails_the_run_and_its_process(tmp_path: Path) -> None:
    text = bench_text("mock-small")[1].replace("script = []", 'script = ["unplugged@31-"]')
    (tmp_path / "bench.toml").write_text(text, encoding="utf-8")
    words = ("train", "--bench", "bench.toml", "--out", "run", "--offline-steps", "2")
    assert_refused(LabdiffProcess(*words, folder=tmp_path).wait(), "check cable and power")
    assert read_run(tmp_path / "run" / "run.h5").outcome == "failed"
