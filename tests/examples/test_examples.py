"""The examples run as they stand, on the small mock bench, and do what they say."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import h5py
import matplotlib.pyplot as plt
import pytest

import labdiff
from calibration.provenance import Provenance
from labdiff.training.data_parallel import free_port
from labdiff.workers.ray_runtime import has_ray
from tests.support.command_line import LabdiffProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.rglob("*.py"))
LONGEST = 40
"""Most lines of a script: it has to be read before it is run."""


@runtime_checkable
class Showable(Protocol):
    """What a notebook shows as HTML."""

    def _repr_html_(self) -> str: ...


Run = Callable[..., list[float]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, few_scored_images: None) -> Path:
    """A working directory in which the bench's calibrations are stored already."""
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        labdiff.calibrate("mock-small", needed_only=True)
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs an example in that directory; returns the numbers that it prints."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "agg")

    def run_script(name: str, *arguments: str) -> list[float]:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        printed = capsys.readouterr().out
        return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", printed)]

    return run_script


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_an_example_is_short_and_says_what_it_is(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert lines[0].startswith('"""')


def test_first_light_and_a_pattern(run: Run, folder: Path) -> None:
    flat, focused = run("first_light_and_pattern.py")
    assert focused > 3 * flat
    assert (folder / "focus.png").read_bytes().startswith(b"\x89PNG")


def test_the_calibrated_twin_predicts_the_camera(run: Run, folder: Path) -> None:
    agreement, z_gap_mm = run("calibrate_and_predict.py")
    assert agreement > 0.98
    assert z_gap_mm == pytest.approx(3.4, rel=0.06)
    assert (folder / "prediction.png").exists()


def test_layers_are_trained_and_generate_images(run: Run, folder: Path) -> None:
    run("train_and_generate.py")
    recorded = labdiff.read_run(folder / "runs/example")
    assert recorded.outcome == "completed"
    assert recorded.figures["mse_online_bench"] < recorded.figures["mse_identity"]
    assert (folder / "generated.png").exists()
    assert (folder / "runs/example/report.html").exists()


def test_a_loop_of_ones_own_learns_with_the_benchs_light(run: Run) -> None:
    first, last, steps = run("own_loop.py")
    assert steps == 30
    assert last > 3 * first


def test_light_is_shaped_into_equal_spots(run: Run, folder: Path) -> None:
    alone, helped, light = run("shape_light.py")
    assert helped > 0.97
    assert helped > alone
    assert light > 0.5
    assert (folder / "spots/report.html").exists()


@pytest.mark.slow
def test_every_cell_of_the_notebook_runs_and_what_it_shows_has_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    notebook = json.loads((EXAMPLES / "first_notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells), "stored unrun"
    names: dict[str, object] = {}
    pictures = {}
    for cell in cells:
        *statements, last = ast.parse("".join(cell["source"])).body
        shown = None
        if isinstance(last, ast.Expr):
            shown = ast.unparse(last)
        else:
            statements.append(last)
        exec(compile(ast.Module(statements, []), "first_notebook.ipynb", "exec"), names)
        value = eval(shown, names) if shown is not None else None
        if isinstance(value, Showable):
            pictures[shown] = value._repr_html_().count("data:image/png;base64,")
    assert pictures == {
        "bench": 0,  # a table
        "calibration": 3,
        "run": 3,
        "labdiff.generate(run, count=16)": 1,
        "labdiff.generate(count=16)": 1,
    }


def test_a_calibration_of_ones_own_is_stored_with_its_verdict(run: Run, folder: Path) -> None:
    percent, stored = run("own_calibration.py")
    assert 0.0 < percent < 2.0 and stored == 1
    (file,) = (folder / "runs/calibration/mock-small-seed0").glob("*Z-steadiness.h5")
    with h5py.File(file) as archived:
        assert archived["result"].attrs["verdict"] == "pass"
        assert archived["result/brightness"].shape == (20,)
        about = Provenance.from_json(str(archived.attrs["provenance"]))
    assert about.frames == 20 and set(about.parents) == {"registration"}


@pytest.mark.slow
@pytest.mark.skipif(not has_ray(), reason="Ray is not installed: pip install 'labdiff[cluster]'")
@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C can be sent to one process there")
def test_a_bench_served_by_another_process_agrees_with_the_twin_here(
    folder: Path, tmp_path: Path
) -> None:
    there, here, port = tmp_path / "there", tmp_path / "here", free_port()
    there.mkdir()
    # The same bench, calibrated already: what is stored is checked through the line.
    archives = "runs/calibration"
    shutil.copytree(
        folder / archives / "mock-small-seed0", here / archives / f"remote-127.0.0.1-{port}"
    )
    serving = LabdiffProcess("bench", "serve", "mock-small", "--port", port, folder=there)
    messages = there / "stderr.txt"
    try:
        serving.wait_until(lambda: "free, at rest" in messages.read_text(encoding="utf-8"))
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "served_bench.py"), f"ray://127.0.0.1:{port}"],
            cwd=here,
            env={**os.environ, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        # Closed at the end of its block, and once more at that of the program.
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
        assert float(re.findall(r"[\d.]+$", done.stdout.strip())[0]) > 0.98
    finally:
        serving.process.send_signal(signal.SIGINT)
        ended = serving.wait()
    assert ended.returncode == 0, ended.stderr
    assert "laser off, SLM flat" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("document", ["README.md", "docs/python.md"])
def test_documents_link_every_example(document: str) -> None:
    text = (EXAMPLES.parent / document).read_text(encoding="utf-8")
    packages = [path.parent for path in EXAMPLES.glob("*/pyproject.toml")]
    examples = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*.ipynb"), *packages]
    assert not [path.name for path in examples if f"examples/{path.name})" not in text]
