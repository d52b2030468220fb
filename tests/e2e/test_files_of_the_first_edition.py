"""Files that the first edition wrote open, report and resume.

tests/artefacts/first_edition was made by `labdiff train --bench mock --layer-sets 2 --offline-steps 6
--calibrated-steps 4 --online-steps 8 --generated 4 --batch 4`: `whole` ran to its end, `cut` was stopped
by Ctrl-C in its first online steps; cut-resumed.json has the figures with which that edition ended it.
Paths of the computer were taken out of them.
"""

from __future__ import annotations

import json
import lzma
import shutil
from pathlib import Path

import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from labdiff.generation.request import GenerationRequest
from labdiff.job import run
from labdiff.jobs.generation_job import GenerationJob
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.reports.run_report import write_report
from labdiff.reports.run_terminal import run_view
from labdiff.runs.reader import read_run
from labdiff.runs.summary import read_summary
from labdiff.session.layer_file import read_layers

ARTEFACTS = Path(__file__).parents[1] / "artefacts" / "first_edition"


def unpacked(name: str, folder: Path) -> Path:
    path = folder / f"{name}.h5"
    path.write_bytes(lzma.decompress((ARTEFACTS / f"{name}.h5.xz").read_bytes()))
    return path


def test_a_run_of_the_first_edition_opens_and_reports(tmp_path: Path) -> None:
    path = unpacked("whole", tmp_path)
    assert read_summary(path).outcome == "completed"
    recorded = read_run(path)
    assert len(recorded.columns["training"]["step"]) == 23
    assert recorded.figures["frames"] > 0
    run_view(recorded, 0.0)
    page = write_report(recorded, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "bench MSE" in page or "mse_online_bench" in page or "After online learning" in page


def test_layers_and_calibrations_of_the_first_edition_are_read() -> None:
    layers = read_layers(ARTEFACTS / "layers.h5")
    assert layers.options.layer_sets == 2
    archive = CalibrationArchive(ARTEFACTS / "calibrations")
    for routine in (
        "dark level",
        "registration",
        "exposure",
        "camera",
        "phase response",
        "alignment",
    ):
        stored = archive.latest(routine)
        assert stored is not None and stored.good, routine


def test_images_are_generated_with_layers_of_the_first_edition(tmp_path: Path) -> None:
    for path in (ARTEFACTS / "layers.h5", unpacked("whole", tmp_path)):
        images = run(
            GenerationJob(GenerationRequest(path, count=2, sampler={"sampler_steps": 3})).job()
        )
        assert np.isfinite(images).all()


def test_a_run_that_the_first_edition_was_stopped_in_goes_on_as_it_went_on_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ARTEFACTS / "calibrations", tmp_path / "runs" / "calibration" / "mock-seed0")
    path = unpacked("cut", tmp_path)
    job = ExperimentJob(Request(resume=path))
    assert job.recorder is not None
    run(job.job(), record=[job.recorder])
    resumed = read_run(path)
    assert resumed.outcome == "completed"
    # The first edition's own figures, where it resumed this file; rounding differs between versions.
    expected = json.loads((ARTEFACTS / "cut-resumed.json").read_text(encoding="utf-8"))
    for name, figure in expected.items():
        assert resumed.figures[name] == pytest.approx(figure, rel=0.01), name
