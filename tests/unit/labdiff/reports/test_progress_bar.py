"""What a job says in the terminal."""

from __future__ import annotations

import pytest

from calibration.exposure import Exposure
from calibration.result import Verdict
from labdiff.events import Calibrated, JobStarted
from labdiff.reports.progress_bar import ProgressBar


def test_each_verdict_is_printed_with_its_reason_and_its_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBar() as progress:
        progress(Calibrated("exposure", Exposure(1.0, 0.5, Verdict("pass", "1 ms fills [50%]"))))
        progress(
            Calibrated("exposure", Exposure(1.0, 0.1, Verdict("warn", "too dim", "More light.")))
        )
    said = capsys.readouterr().err
    assert "pass  exposure: 1 ms fills [50%]" in said
    assert "warn  exposure: too dim More light." in said


def test_what_the_training_images_hold_is_printed_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBar() as progress:
        progress(JobStarted("calibration", 1))
        progress(JobStarted("experiment", 5, "data digits: 429 images, 0% to 100% of white"))
    assert capsys.readouterr().err == "data digits: 429 images, 0% to 100% of white\n"
