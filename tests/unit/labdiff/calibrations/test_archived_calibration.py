"""What a kept calibration does after a failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from calibration.result import CalibrationError
from drivers.errors import DeviceDisconnectedError
from labdiff.bench.frame_log import FrameLog
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import ArchivedCalibration
from labdiff.calibrations.routine import ValidityFinding
from labdiff.calibrations.routines import with_dependents
from labdiff.calibrations.validity import to_measure
from labdiff.config.bench import load_bench
from labdiff.events import Calibrated
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from mock_hardware.fault_script import FOR_EVER, Fault
from tests.support.mock_bench import laboratory_of

PLAN = ("dark level", "registration")


def measured(archive: CalibrationArchive, fault: Fault | None = None, first: int = 1) -> int:
    """Measure the plan on a fresh bench; how many frames its camera took."""
    config = load_bench("mock")
    calibrated = CalibratedBench(config, open_bench(config, 0))
    lab = laboratory_of(calibrated.bench)
    if fault is not None:
        lab.world.faults.add(fault, first, FOR_EVER)
    kept = ArchivedCalibration(calibrated, archive, "the bench file")
    with calibrated.bench:
        run(kept.measure(PLAN))
    return lab.camera.requests


def test_what_was_mended_after_a_failure_is_measured_anew(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path)
    with pytest.raises(CalibrationError, match="Is the laser on"):
        measured(archive, "beam_blocked")
    assert len(archive.history("dark level")) == 1
    assert not (tmp_path / "unfinished.frames").exists()
    frames = measured(archive)
    found = archive.latest("registration")
    assert found is not None
    assert found.provenance.resumed_frames == 0
    assert found.provenance.frames == frames  # the dark level is not measured again
    assert not list(tmp_path.glob("unfinished*"))


def test_a_pulled_cable_costs_no_frame(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path)
    with pytest.raises(DeviceDisconnectedError):
        measured(archive, "unplugged", first=14)
    measured(archive)
    found = archive.latest("registration")
    assert found is not None
    # 11 frames are the dark level's, the 14th did not come.
    assert found.provenance.resumed_frames == 2


def test_what_failed_and_carries_nothing_waits_until_it_is_asked_for() -> None:
    findings = [
        ValidityFinding("registration", "stale", ""),
        ValidityFinding("camera", "failed", ""),
        ValidityFinding("settling", "fresh", ""),
    ]
    redo = to_measure(findings)
    assert redo == with_dependents(["registration"])
    assert {"exposure", "alignment"} <= redo
    assert not {"camera", "dark level"} & redo


def test_what_fails_on_frames_from_before_and_after_a_change_is_measured_anew(
    tmp_path: Path,
) -> None:
    archive = CalibrationArchive(tmp_path)
    with pytest.raises(DeviceDisconnectedError):
        measured(archive, "unplugged", first=9)
    # A lamp was on until the crash, and is off after it.
    frames, lit = tmp_path / "unfinished.frames", FrameLog(tmp_path / "lit.frames")
    for record in FrameLog(frames).records():
        lit.append(replace(record, pixels=record.pixels + np.uint16(3900)))
    lit.path.replace(frames)
    config = load_bench("mock")
    calibrated = CalibratedBench(config, open_bench(config, 0))
    verdicts: list[str] = []
    with calibrated.bench:
        for event in ArchivedCalibration(calibrated, archive, "the bench file").measure(PLAN):
            if isinstance(event, Calibrated) and event.routine == "dark level":
                verdicts.append(event.result.verdict.level)
            if len(verdicts) == 2:
                break
    assert verdicts == ["fail", "pass"]
    found = archive.latest("dark level")
    assert found is not None
    assert found.provenance.resumed_frames == 0
