"""A job opens what it uses: no images where none are needed, no bench on the twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labdiff.bench.open import open_bench
from labdiff.config.bench import load_bench
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.job import run
from labdiff.jobs.calibration_job import CalibrationJob, CalibrationRequest
from labdiff.jobs.generation_job import GenerationJob
from labdiff.jobs.job_bench import JobBench

LOADERS = ("labdiff.session.training_session", "labdiff.jobs.recognition")


@pytest.fixture
def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("images were loaded")

    for module in LOADERS:
        monkeypatch.setattr(f"{module}.load_images", refuse)


def test_calibrating_loads_no_images(no_images: None, tmp_path: Path) -> None:
    job = CalibrationJob(CalibrationRequest("mock", folder=tmp_path, check=True))
    done = run(job.job())
    assert {finding.state for finding in done.findings} == {"never"}
    assert not job.calibrated.bench.left_unsafe


def test_generating_on_the_twin_loads_no_images_and_opens_no_bench(
    no_images: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a bench was opened")

    monkeypatch.setattr("labdiff.jobs.job_bench.open_bench", refuse)
    job = GenerationJob(GenerationRequest(count=2, sampler={"sampler_steps": 2}))
    images = run(job.job())
    assert images.shape == (2, 10, 10)
    assert np.abs(images).max() <= 1.0


def test_a_bench_opened_for_a_job_is_closed_if_the_job_cannot_be_prepared() -> None:
    config = load_bench("mock")
    own, lent = JobBench.open(config, 0), open_bench(config, 0)
    for bench in (own, JobBench.open(config, 0, lent)):
        with pytest.raises(UserError, match="no such layers"), bench.preparing():
            raise UserError("no such layers")
    with pytest.raises(Exception, match="closed"):
        assert own.bench is not None
        own.bench.camera.get_frame()
    lent.camera.get_frame()
    lent.close()


def test_a_lent_bench_is_dark_and_open_after_the_job() -> None:
    config = load_bench("mock")
    bench = open_bench(config, 0)
    with JobBench.open(config, 0, bench).lit():
        assert bench.laser.emission
    assert not bench.laser.emission
    bench.camera.get_frame()
    bench.close()
