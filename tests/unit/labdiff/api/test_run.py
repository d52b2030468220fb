from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import labdiff
from labdiff.events import GenerationStep, JobEnded, Measured, StageStarted, TrainingStep
from labdiff.runs.recorder import Recorder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with a reason that is not HTML."""
    images = np.linspace(-1.0, 1.0, 2 * 4 * 4, dtype=np.float32).reshape(2, 4, 4)
    with Recorder(tmp_path / "run.h5", "name = '<bench>'", "{}", 3) as recorder:
        recorder(StageStarted("offline", 3))
        for step in range(3):
            recorder(TrainingStep("offline", step, 3, 0, 1.0 / (1 + step)))
        recorder(GenerationStep(0, 1, 0, images))
        recorder(Measured({"mse_identity": 0.5, "mse_wiener": 0.1}))
        recorder(JobEnded("failed", "<script>alert(1)</script>"))
    return tmp_path


def test_a_run_is_read_by_its_folder_or_its_file(folder: Path) -> None:
    run = labdiff.read_run(folder)
    assert run.path == folder / "run.h5" == labdiff.read_run(str(folder / "run.h5")).path
    assert (run.outcome, run.figures["mse_identity"]) == ("failed", 0.5)
    assert run.images.shape == (2, 4, 4)
    np.testing.assert_allclose(run.curve("twin_mse"), [1.0, 1 / 2, 1 / 3])
    assert "failed" in repr(run)


def test_a_quantity_that_was_not_recorded_is_named_with_those_that_were(folder: Path) -> None:
    with pytest.raises(labdiff.UserError, match=r"no quantity 'loss'; it has .*twin_mse"):
        labdiff.read_run(folder).curve("loss")


def test_a_notebook_shows_curves_and_images_and_nothing_from_elsewhere(folder: Path) -> None:
    shown = labdiff.read_run(folder)._repr_html_()
    assert shown.count('src="data:image/png;base64,') == 2
    assert "<script" not in shown and "&lt;script&gt;" in shown
    assert "<body" not in shown and "://" not in shown


def test_the_report_is_written_beside_the_run(folder: Path) -> None:
    assert labdiff.read_run(folder).write_report() == folder / "report.html"
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_missing_run_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(labdiff.UserError, match="nowhere"):
        labdiff.read_run(tmp_path / "nowhere")
