"""Calibrations of a bench as files: nothing is overwritten, what failed is kept and not used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.exposure import Exposure
from calibration.phase_response import PhaseResponse
from calibration.provenance import Provenance
from calibration.result import CalibrationError, Verdict

PASS, FAIL = Verdict("pass", "fills 30%"), Verdict("fail", "too dim", "More light.")


def provenance(second: int) -> Provenance:
    return Provenance(
        "exposure",
        f"2026-01-02T03:04:{second:02d}+00:00",
        frames=4,
        seconds=0.5,
        devices={"camera": "mock camera"},
        settings={"wavelength_nm": 850.0},
        parents={"dark level": "20260102T030400000000Z-dark_level"},
        versions={"labdiff": "0"},
    )


def test_the_newest_that_did_not_fail_is_used_and_all_are_stored(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path / "bench")
    assert archive.latest("exposure") is None
    for second, (exposure_ms, verdict) in enumerate([(1.0, PASS), (2.0, PASS), (3.0, FAIL)]):
        archive.save(Exposure(exposure_ms, 0.3, verdict), provenance(second))
    again = archive.save(Exposure(4.0, 0.3, FAIL), provenance(2))  # the same moment: another file
    past = archive.history("exposure")
    assert [stored.result.exposure_ms for stored in past] == [1.0, 2.0, 3.0, 4.0]  # type: ignore[union-attr]
    assert [stored.good for stored in past] == [True, True, False, False]
    assert past[-1] == again
    newest = archive.latest("exposure")
    assert newest is not None
    assert newest.id == "20260102T030401000000Z-exposure"
    assert newest.provenance == provenance(1)
    assert archive.history("camera") == []


def test_on_a_clock_set_back_the_newest_is_still_the_last_measured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = CalibrationArchive(tmp_path)
    for second, exposure_ms in ((40, 1.0), (20, 2.0), (21, 3.0), (50, 4.0)):
        found = Exposure(exposure_ms, 0.3, Verdict("pass", ""), 10.0, 251.0)
        stored = archive.save(found, provenance(second))
        newest = archive.latest("exposure")
        assert newest is not None and newest.id == stored.id
    assert [each.result.exposure_ms for each in archive.history("exposure")] == [1.0, 2.0, 3.0, 4.0]  # type: ignore[union-attr]
    assert caplog.text.count("was the clock set back?") == 2


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path)
    stored = archive.save(Exposure(1.0, 0.3, PASS), provenance(0))
    whole = stored.path.read_bytes()
    stored.path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(CalibrationError, match=r"exposure\.h5: not a calibration of this program"):
        archive.latest("exposure")
    with h5py.File(stored.path, "w") as file:
        file["numbers"] = np.arange(3)
    with pytest.raises(CalibrationError, match=r"exposure\.h5: .* Move it out of the folder"):
        archive.history("exposure")


def test_a_result_of_another_version_is_left_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = CalibrationArchive(tmp_path)
    old = archive.save(Exposure(1.0, 0.3, PASS), provenance(0))
    new = archive.save(Exposure(2.0, 0.3, PASS), provenance(1))
    with h5py.File(old.path, "r+") as file:
        del file["result/fill"]
    assert archive.history("exposure") == [new]
    assert "left aside" in caplog.text


def test_the_newest_is_found_without_reading_those_before_it(tmp_path: Path) -> None:
    """What a window shows of an archive takes as long for one of years as for one of a day."""
    archive = CalibrationArchive(tmp_path)
    assert archive.newest_verdict("exposure") is None
    archive.save(Exposure(1.0, 0.3, PASS), provenance(0)).path.write_bytes(b"damaged")
    good = archive.save(Exposure(2.0, 0.3, PASS), provenance(1))
    failed = archive.save(Exposure(3.0, 0.3, FAIL), provenance(2))
    newest = archive.newest_verdict("exposure")
    assert newest is not None
    assert (newest.id, newest.verdict, newest.provenance) == (failed.id, FAIL, provenance(2))
    assert archive.latest("exposure") == good
    failed.path.write_bytes(b"damaged")
    with pytest.raises(CalibrationError, match=r"exposure\.h5: not a calibration of this program"):
        archive.newest_verdict("exposure")


def test_results_from_before_a_field_was_added_are_read_without_it(tmp_path: Path) -> None:
    """A dark level without its exposure holds at every one; a phase response states no deviation."""
    archive = CalibrationArchive(tmp_path)
    dark = DarkLevel(80.0, 0.1, 2.0, PASS, exposure_ms=2.0, ambient_counts_per_ms=3.0)
    response = PhaseResponse(np.linspace(0.0, 6.5, 256), 0.01, PASS, sigma_rad=0.008)
    newer = ("exposure_ms", "ambient_counts_per_ms"), ("sigma_rad",)
    for result, names in zip((dark, response), newer, strict=True):
        stored = archive.save(result, replace(provenance(1), routine=result.routine))
        with h5py.File(stored.path, "r+") as file:
            for name in names:
                del file["result"][name]
        read = archive.read(stored.path).result
        if isinstance(read, DarkLevel):
            assert read.pedestal_at(10.0) == 80.0
        else:
            assert isinstance(read, PhaseResponse)
            assert np.isnan(read.sigma_rad)
