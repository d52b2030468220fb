"""The page of a bench's calibrations: verdicts, pictures, history, provenance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from calibration.exposure import Exposure
from calibration.phase_response import PhaseResponse
from calibration.provenance import Provenance
from calibration.registration import Registration
from calibration.result import Verdict
from calibration.result_file import Result
from labdiff.calibrations.routines import ROUTINES
from labdiff.config.bench import load_bench
from labdiff.reports.calibration_figures import quantities
from labdiff.reports.calibration_report import write_calibration_report

PASS = Verdict("pass", "held-out spots within 0.08 px")


def keep(archive: CalibrationArchive, routine: str, taken_utc: str, result: Result) -> None:
    archive.save(
        result, Provenance(routine, taken_utc, 3, 0.1, devices={"camera": "mock <camera>"})
    )


@pytest.mark.parametrize("later", ["2026-01-01T10:00:07+00:00", "2028-07-03T09:00:00+00:00"])
def test_the_page_tells_what_was_found_and_how_it_went_over_time(
    tmp_path: Path, later: str
) -> None:
    archive = CalibrationArchive(tmp_path)
    first = "2026-01-01T10:00:00+00:00"
    found = Registration(1.6 * np.eye(2), np.array([40.0, 90.0]), 0.1, 0.08, PASS, 0.37)
    keep(archive, "registration", first, found)
    for taken, exposure_ms, verdict in (
        (first, 1.2, Verdict("pass", "fills 31%")),
        (later, 1000.0, Verdict("fail", "fills 0%", "Is the laser on?")),
    ):
        keep(archive, "exposure", taken, Exposure(exposure_ms, 0.3, verdict, 10.0, 251.0))
    response = PhaseResponse(np.linspace(0.0, 6.5, 256), 0.01, PASS)
    keep(archive, "phase response", first, response)
    page = write_calibration_report(archive, load_bench("mock")).read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3  # registration, response, history of exposure
    assert "Over 2 calibrations" in page
    assert "Is the laser on?" in page
    assert page.count("never measured") == len(ROUTINES) - 3
    assert "mock &lt;camera&gt;" in page
    assert "://" not in page


def test_deviations_stand_beside_their_quantities_and_one_that_has_none_stands_alone() -> None:
    found = Registration(1.6 * np.eye(2), np.zeros(2), 0.1, 0.08, PASS, 0.37)
    numbers = quantities(found)
    assert numbers["sigma_px"][0] == 0.37
    assert numbers["scale"][0] == pytest.approx(1.6)
    assert {"held_out_px", "residual_px", "rotation_deg"} <= set(numbers)
