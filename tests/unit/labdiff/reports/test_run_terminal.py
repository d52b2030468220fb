"""What `labdiff watch` shows of a run file."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from rich.console import Console
from torch import Tensor
from typer.testing import CliRunner

from labdiff.cli import watch
from labdiff.events import JobEnded, Measured, StageStarted, TrainingStep
from labdiff.reports.run_terminal import BARS, SILENT_SECONDS, run_view, sparkline
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder
from twin.digital_twin import DigitalTwin, TwinGeometry
from twin.parameter_vector import parameter_vector

GEOMETRY = TwinGeometry((16, 16), 2, 9.2e-6, 850e-9, 1e-3, 1e-4, "slm_patch")


def twin_of_a_bench() -> tuple[DigitalTwin, Tensor]:
    """A twin whose beam is tilted and whose gap is too long, and the covariance of its parameters."""
    twin = DigitalTwin(GEOMETRY)
    found = {"d_alpha_beam_mrad": torch.tensor([1.25, -0.5]), "z_gap_percent": torch.tensor(2.0)}
    twin.load_alignment(twin.state_dict() | found)
    return twin, torch.diag(torch.full((parameter_vector(twin).numel(),), 0.013**2))


def recorded(path: Path, steps: int = 6) -> Recorder:
    twin, covariance = twin_of_a_bench()
    recorder = Recorder(path, "bench", "{}", 7)
    recorder(StageStarted("online learning", 10))
    for step in range(steps):
        recorder(
            TrainingStep(
                "online",
                step,
                10,
                0,
                twin_mse=0.2,
                bench_mse=0.5 / (step + 1),
                discrepancy=0.02,
                noise_floor=0.004,
                alignment=twin.alignment(),
                deviation=twin.alignment_deviation(covariance),
                frames_per_s=21.5,
                duty=0.96,
                repeated=1,
                first_t=200,
                end_t=400,
                wiener_mse=0.05,
                identity_mse=0.2,
            )
        )
    recorder.flush()
    return recorder


def shown(path: Path, after_s: float = 0.0) -> str:
    console = Console(width=100, record=True)
    with console.capture() as text:
        console.print(run_view(read_run(path), time.time() + after_s))
    return text.get()


def test_a_growing_run_shows_where_it_is_and_what_it_knows(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run.h5")
    words = shown(recorder.path)
    assert "running" in words and "seed 7" in words
    assert "online learning: 6 of 10" in words and "left" in words
    assert "layer set 0, t 200 ... 399" in words
    losses = {line.split("  ")[0]: line.split()[-2:] for line in words.splitlines()}
    assert losses["noise MSE / Wiener's, bench"] == ["1.667", "1.667"], "0.5 / 6 of 0.05"
    assert losses["identity / Wiener's"] == ["4", "4"]
    assert "0.004" in words and "0.02" in words
    assert "21.5 frames/s, bench duty 96%, 6 frames measured again" in words
    rows = {line.split("  ")[0]: line.split()[-2:] for line in words.splitlines()}
    assert rows["gap, mm"] == ["+1.0200", "0.00013"]
    assert rows["beam tilt x, mrad"] == ["+1.2500", "0.013"]
    assert rows["beam tilt y, mrad"] == ["-0.5000", "0.013"]
    assert rows["mirror tilt x, mrad"] == rows["crosstalk, px"] == ["+0.0000", "0.013"]
    assert "camera shift" not in words, "not among those that are shown without being asked"
    assert "go on with" not in words
    silent = shown(recorder.path, SILENT_SECONDS + 1.0)
    assert "nothing new for" in silent and "held by" in silent and "--resume" not in silent
    del recorder
    dead = " ".join(shown(tmp_path / "run.h5").split())
    assert "died" in dead and "its program ended without a word" in dead
    assert "labdiff train --resume" in dead


def test_an_ended_run_shows_its_outcome_and_figures(tmp_path: Path) -> None:
    recorder = recorded(tmp_path / "run.h5")
    recorder(Measured({"mse_online_bench": 0.0385}))
    recorder(JobEnded("failed", "camera: gone; check the cable"))
    words = shown(recorder.path, SILENT_SECONDS + 1.0)
    assert "failed" in words and "camera: gone; check the cable" in words
    assert "After online learning, on the bench" in words and "0.0385" in words
    assert "nothing new" not in words, "nothing more is to come"


def test_a_run_that_has_just_begun_can_be_watched(tmp_path: Path) -> None:
    assert "preparing" in shown(Recorder(tmp_path / "run.h5", "bench", "{}", 0).path)


def test_bars_rise_with_the_values_and_fit_the_width() -> None:
    line = sparkline(np.geomspace(1e-3, 1.0, 400), 20)
    assert len(line) == 20
    assert line[0] == BARS[0] and line[-1] == BARS[-1]
    assert [BARS.index(c) for c in line] == sorted(BARS.index(c) for c in line)
    assert sparkline(np.ones(3)) == BARS[0] * 3


def test_the_command_takes_the_folder_and_refuses_what_is_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path / "run.h5")
    alone = typer.Typer()
    watch.register(alone)
    monkeypatch.setenv("COLUMNS", "100")
    done = CliRunner().invoke(alone, [str(tmp_path)])
    assert done.exit_code == 0
    assert "online learning: 6 of 10" in done.output
    missing = CliRunner().invoke(alone, [str(tmp_path / "none.h5")])
    assert "none.h5: no such run file" in str(missing.exception)
