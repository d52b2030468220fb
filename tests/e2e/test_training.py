"""A training by the command line, and what is done with its run file: report, images, scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labdiff.config.bench import bench_text
from labdiff.runs.reader import read_run
from tests.support.command_line import labdiff

STEPS = {"offline": 12, "calibrated": 8, "online": 8}
STEP_WORDS = [w for name, count in STEPS.items() for w in (f"--{name}-steps", str(count))]
IMAGE_WORDS = ("--generated", "16", "--sampler-steps", "10")
# What online learning is compared with is tested where a run is resumed, in test_calibrating.py.
QUICK_TRAIN = (
    *("--layer-sets", "3", "--batch", "4", "--no-comparisons"),
    *IMAGE_WORDS,
    *STEP_WORDS,
)


SENTENCE = "simulated: all devices (mock)"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, few_scored_images: None) -> Path:
    folder = tmp_path_factory.mktemp("run")
    words = ("train", "--bench", "mock-small", "--out", "run", *QUICK_TRAIN, "--json")
    done = labdiff(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["simulated"] == SENTENCE and SENTENCE in done.stdout.splitlines()
    assert figures["mse_wiener"] < figures["mse_identity"]
    assert figures["discrepancy_after"] < 0.05 < figures["discrepancy_before"]
    return folder / "run" / "run.h5"


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
    assert SENTENCE in page
    # A bare "http" is also four letters that base64 may hold by chance.
    assert "://" not in page


def test_images_are_generated_from_a_run(trained: Path, tmp_path: Path) -> None:
    done = labdiff("generate", trained, "--out", tmp_path / "grid.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert SENTENCE in done.stdout.splitlines()
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
    assert figures["simulated"] == SENTENCE and SENTENCE in done.stdout.splitlines()
    means = figures["mean_errors"]
    assert means["wiener_each_t"]["clean_mse"] < means["wiener"]["clean_mse"]
    assert means["odu"]["clean_mse"] < means["identity"]["clean_mse"]
    images, variety = figures["images"]
    assert (images["features"], images["count"], images["real_count"]) == ("classifier", 40, 40)
    assert "10x10, not resized" in images["preparation"]
    names = ("fid", "kid", "is", "precision", "recall")
    assert set(images["figures"]) == {f"classifier_{name}" for name in names}
    assert set(variety["figures"]) == {"nearest", "variance_within", "share_error"}
    # Electronics alone score worse than light does.
    (dark,) = figures["light_off"]
    assert dark["figures"]["classifier_fid"]["value"] > images["figures"]["classifier_fid"]["value"]
    distance = images["figures"]["classifier_fid"]
    assert distance["real"] < distance["low"] < distance["value"] < distance["high"]
    scores = tmp_path / "scores"
    stored = json.loads((scores / "evaluation.json").read_text(encoding="utf-8"))
    assert stored == figures
    # Four predictors, ten ranges of 100 timesteps, and the names of the columns.
    table = (scores / "errors.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 41 and all(SENTENCE in row for row in table[1:])
    for name in ("errors.png", "images.png"):
        assert (scores / name).read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in scores.iterdir()} == {
        *("evaluation.json", "errors.csv", "errors.png", "images.png"),
    }


def test_mistakes_about_a_run_are_one_line_with_exit_code_2(trained: Path, tmp_path: Path) -> None:
    corrupt = tmp_path / "corrupt.h5"
    corrupt.write_bytes(trained.read_bytes()[:5000])
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    cases: dict[str, tuple[object, ...]] = {
        "exists already": ("train", "--out", trained.parent),
        "expected a run file (.h5) that labdiff recorded": ("report", corrupt),
        "allowed are twin, bench": ("evaluate", trained, "--where", "sky"),
        "file: cannot be written": ("evaluate", trained, "--out", "file"),
        "not readable as Inception weights": (
            *("evaluate", trained, "--inception-weights", blocked),
        ),
    }
    for message, arguments in cases.items():
        done = labdiff(*arguments, cwd=tmp_path)
        said = " ".join(done.stderr.split())
        assert done.returncode == 2, (message, said)
        assert message in said
        assert "Traceback" not in said


def test_init_writes_the_shipped_bench_file_and_never_over_another(tmp_path: Path) -> None:
    assert labdiff("init", "bench.toml", cwd=tmp_path).returncode == 0
    assert (tmp_path / "bench.toml").read_text(encoding="utf-8") == bench_text("mock")[1]
    assert labdiff("init", "bench.toml", cwd=tmp_path).returncode == 2
