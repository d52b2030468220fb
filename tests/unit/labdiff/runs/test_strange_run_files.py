"""Run files, layer files and calibrations as strangers bring them: one line that names file and place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.provenance import Provenance
from calibration.registration import Registration
from calibration.result import CalibrationError, Verdict
from labdiff.errors import UserError
from labdiff.events import Calibrated, Checkpoint, Measured, StageStarted, TrainingStep
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder
from labdiff.runs.summary import read_summary
from labdiff.session.layer_file import is_layer_file, read_layers
from labdiff.session.layer_options import options_of_layers


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.h5"
    with Recorder(path, "name = 'x'", "{}", 5) as recorder:
        recorder(StageStarted("online", 3))
        for number in range(3):
            recorder(TrainingStep("online", number, 3, 0, 0.5, 0.5, 0.5))
        recorder(Calibrated("dark level", DarkLevel(40.0, 0.1, 2.0, Verdict("pass", ""))))
        recorder(Checkpoint({"phases": np.zeros((2, 2))}, {"stage": "online"}))
        recorder(Measured({"mse": 0.1}))
    return path


def _scalar_column(entry: h5py.Group) -> None:
    del entry["events/training/step"]
    entry["events/training/step"] = 3.0


def _short_column(entry: h5py.Group) -> None:
    entry["events/training/step"].resize((2,))


def _no_method(entry: h5py.Group) -> None:
    del entry["events/training/method"]


def _not_a_number(entry: h5py.Group) -> None:
    entry["events/stages/time_s"][0] = np.nan


def _text_for_a_figure(entry: h5py.Group) -> None:
    entry["figures"].attrs["mse"] = "small"


def _text_for_a_result(entry: h5py.Group) -> None:
    del entry["calibration/dark level/pedestal_counts"]
    entry["calibration/dark level/pedestal_counts"] = "dark"


def _another_verdict(entry: h5py.Group) -> None:
    entry["calibration/dark level"].attrs["verdict"] = "<script>"


def _outside(entry: h5py.Group) -> None:
    del entry["events/training"]
    entry["events/training"] = h5py.ExternalLink("other.h5", "/entry/events/training")
    del entry["checkpoint"]
    entry["checkpoint"] = h5py.ExternalLink("other.h5", "/entry/checkpoint")


def _text_for_the_seed(entry: h5py.Group) -> None:
    entry["config"].attrs["seed"] = "five"


@pytest.mark.parametrize(
    "damage",
    [
        *(_scalar_column, _short_column, _no_method, _not_a_number, _text_for_a_figure),
        *(_text_for_a_result, _another_verdict, _text_for_the_seed),
    ],
)
def test_a_value_of_another_type_or_shape_is_named(
    run_file: Path, damage: Callable[[h5py.Group], None]
) -> None:
    with h5py.File(run_file, "r+") as file:
        damage(file["entry"])
    with pytest.raises(UserError, match=r"run\.h5: .*/entry/.*expected") as raised:
        read_run(run_file)
    assert "\n" not in str(raised.value)


def test_links_are_not_followed_and_a_linked_file_is_not_changed_on_resume(
    run_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(run_file.read_bytes())
    before = other.read_bytes()
    with h5py.File(run_file, "r+") as file:
        _outside(file["entry"])
    run = read_run(run_file)
    assert "training" not in run.columns and run.checkpoint == {}
    assert read_summary(run_file).steps == 0
    with pytest.raises(UserError, match=r"run\.h5: .*is a link to elsewhere"):
        Recorder(run_file, "", "{}", 5, resume=True)
    assert other.read_bytes() == before


def test_a_registration_of_another_shape_is_not_a_calibration(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path)
    found = Registration(np.eye(2), np.ones(2), 0.1, 0.2, Verdict("pass", ""))
    provenance = Provenance("registration", "2026-01-02T03:04:05+00:00", 1, 0.1)
    stored = archive.save(found, provenance)
    with h5py.File(stored.path, "r+") as file:
        del file["result/matrix"]
        file["result/matrix"] = np.eye(3)
    with pytest.raises(
        CalibrationError, match=r"/result/matrix: shape \(3, 3\); expected \(2, 2\)"
    ):
        archive.read(stored.path)


@pytest.mark.skipif("LABDIFF_CASES" not in os.environ, reason="LABDIFF_CASES is not set")
def test_cases_are_read_or_refused_in_one_line() -> None:
    readers: dict[str, Callable[[Path], object]] = {
        "run": read_run,
        "layer": read_layers,
        "calibration": lambda path: CalibrationArchive(path.parent).read(path),
    }
    for path in sorted((Path(os.environ["LABDIFF_CASES"]) / "faults" / "hdf5").glob("*.h5")):
        try:
            readers[path.name.partition("_")[0]](path)
            is_layer_file(path)
            options_of_layers(path)
        except (UserError, CalibrationError) as error:
            assert "\n" not in str(error) and path.name in str(error)
