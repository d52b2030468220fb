"""A calibration routine that a script defines: measured, judged, applied, stored, and read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import labdiff
from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.registration import Registration
from labdiff.api.calibrating import Calibration
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.calibrations.own_validity import own_findings
from labdiff.calibrations.routine import ValidityFinding
from labdiff.job import Job


@dataclass(frozen=True, slots=True)
class Pixels(labdiff.CalibrationResult):
    routine = "mean of a frame"
    title = "Mean of one frame"
    counts: np.ndarray
    names: tuple[str, ...]
    verdict: labdiff.Verdict


@dataclass(frozen=True, slots=True)
class Impostor(labdiff.CalibrationResult):
    routine = "dark level"
    title = "Of the same name as one of labdiff's"
    verdict: labdiff.Verdict


def routine_with(level: str, applied: list[Pixels]) -> labdiff.Routine[Pixels]:
    def measure(calibrated: labdiff.CalibratedBench) -> Job[Pixels]:
        frame = calibrated.bench.camera.get_frame()
        yield labdiff.CalibrationStep(Pixels.routine, 0, 1, "one frame")
        counts = np.array([frame.pixels.mean()])
        verdict = labdiff.Verdict(level, "as asked", "Ask otherwise.")  # type: ignore[arg-type]
        return Pixels(counts, ("mean",), verdict)

    return labdiff.Routine(
        Pixels, measure, depends_on=(DarkLevel,), apply=lambda _, found: applied.append(found)
    )


@pytest.fixture
def calibration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Calibration]:
    monkeypatch.chdir(tmp_path)
    with labdiff.open_bench("mock-small") as bench:
        yield labdiff.calibrate(bench, only=["dark level"])


def test_it_is_applied_stored_and_read_again(calibration: Calibration) -> None:
    applied: list[Pixels] = []
    bench, routine = calibration.calibrated.bench, routine_with("pass", applied)
    assert bench.lit
    found = calibration.measure(routine)
    assert bench.lit, "as it was before"
    assert applied == [found] and found.counts[0] > 0.0
    (again,) = calibration.history(routine)
    assert (again.names, again.verdict) == (("mean",), found.verdict)
    np.testing.assert_array_equal(again.counts, found.counts)
    assert calibration.calibrated.calibrations[Pixels.routine]
    # labdiff itself, which does not know the type, reads its verdict alone.
    archive = CalibrationArchive(calibration.archive.folder)
    assert archive.history(Pixels.routine) == []
    own = archive.newest_of_others(ROUTINE_NAMES)[Pixels.routine]
    assert (own.title, own.verdict) == (Pixels.title, found.verdict)
    assert set(calibration.results) == {"dark level"}


def test_one_that_fails_is_stored_and_not_applied(calibration: Calibration) -> None:
    applied: list[Pixels] = []
    routine = routine_with("fail", applied)
    with pytest.raises(labdiff.CalibrationError, match="mean of a frame: as asked. Ask otherwise."):
        calibration.measure(routine)
    assert not applied
    assert calibration.history(routine)[-1].verdict.level == "fail"


def test_its_parents_are_required_and_its_name_is_its_own(calibration: Calibration) -> None:
    routine = labdiff.Routine(Pixels, routine_with("pass", []).measure, depends_on=(Registration,))
    with pytest.raises(labdiff.CalibrationError, match="depends on registration"):
        calibration.measure(routine)

    def measure(calibrated: labdiff.CalibratedBench) -> Job[Impostor]:
        raise AssertionError
        yield

    with pytest.raises(labdiff.UserError, match="'dark level': labdiff has one of that name"):
        calibration.measure(labdiff.Routine(Impostor, measure))
    assert calibration.archive.results_of(Impostor) == []
    assert len(calibration.history(labdiff.Routine(DarkLevel, measure))) == 1


def test_a_script_s_routine_is_valid_as_long_as_what_it_rests_on(calibration: Calibration) -> None:
    calibration.measure(routine_with("pass", []))
    in_use = dict(calibration.calibrated.calibrations)

    def state(dark: str, **changed: str) -> tuple[str, str]:
        findings = {"dark level": ValidityFinding("dark level", dark, "")}  # type: ignore[arg-type]
        used = {
            name: changed.get(name.replace(" ", "_"), number) for name, number in in_use.items()
        }
        (found,) = own_findings(calibration.archive, used, findings)
        assert found.routine == Pixels.routine
        return found.state, found.reason

    assert state("fresh") == ("fresh", "as asked; what it rests on is valid")
    assert state("stale")[0] == "stale" and "dark level, on which it rests" in state("stale")[1]
    newer, why = state("fresh", dark_level="20990101T000000000000Z-dark_level")
    assert newer == "stale" and why.startswith(
        "it rests on an earlier dark level than the one in use"
    )
    with pytest.raises(labdiff.CalibrationError):
        calibration.measure(routine_with("fail", []))
    assert state("fresh") == ("failed", "the last one failed: as asked")


def test_one_of_labdiffs_is_measured_again_by_its_name(calibration: Calibration) -> None:
    before = len(calibration.archive.history("dark level"))
    assert isinstance(calibration.measure("dark level"), DarkLevel)
    assert len(calibration.archive.history("dark level")) == before + 1
    with pytest.raises(
        labdiff.UserError, match="routine 'alignmend': no such routine; allowed are"
    ):
        calibration.measure("alignmend")
