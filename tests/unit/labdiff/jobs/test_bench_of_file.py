"""The bench of somebody's file is driven only where that is wanted; its libraries and folders likewise."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from calibration.archive import CalibrationArchive
from calibration.provenance import Provenance
from calibration.registration import Registration
from calibration.result import Verdict
from labdiff.bench.open import open_bench
from labdiff.cli.main import application
from labdiff.config.bench import BenchFile, bench_text, parse_bench
from labdiff.config.libraries import named_libraries
from labdiff.errors import UserError
from labdiff.jobs.bench_of_file import (
    BenchNotConfirmedError,
    Consent,
    own_calibrations,
    remember,
    require_consent,
)
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.runs.recorder import Recorder

MOCK = bench_text("mock-small")[1]
REAL = MOCK.replace(
    '[laser]\ndriver = "mock"', '[laser]\ndriver = "scpi"\naddress = "ASRL3::INSTR"'
)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABDIFF_CONFIG", str(tmp_path / "settings"))


def test_a_bench_of_real_devices_is_confirmed_or_was_opened_here() -> None:
    config = parse_bench(REAL, "run.h5")
    with pytest.raises(
        BenchNotConfirmedError, match=r"run\.h5: .*laser scpi at ASRL3::INSTR.*--bench FILE.*--yes"
    ):
        require_consent("run.h5", REAL, config, Consent())
    require_consent("run.h5", REAL, config, Consent(confirmed=True))
    remember(REAL, config)
    require_consent("run.h5", REAL, config, Consent())
    # One letter more is another bench.
    with pytest.raises(BenchNotConfirmedError):
        require_consent("run.h5", REAL + "#", config, Consent())


def test_simulated_benches_are_nobody_s() -> None:
    require_consent("run.h5", MOCK, parse_bench(MOCK, "run.h5"), Consent())


def test_a_bench_that_is_named_here_has_to_be_the_same() -> None:
    here_text = REAL.replace("ASRL3", "ASRL4")
    here = BenchFile("here.toml", here_text, parse_bench(here_text, "here.toml"))
    with pytest.raises(
        UserError,
        match=r"differs from here\.toml: laser\.address = 'ASRL3::INSTR', here 'ASRL4::INSTR'",
    ):
        require_consent("run.h5", REAL, parse_bench(REAL, "run.h5"), Consent(here, confirmed=True))
    require_consent("run.h5", here_text, here.config, Consent(here))


def test_a_run_of_an_unknown_bench_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    Recorder(path, REAL, "{}", 0).close()
    with pytest.raises(BenchNotConfirmedError, match="drives laser scpi"):
        ExperimentJob(Request(resume=path))
    with pytest.raises(UserError, match=r"differs from mock-small: laser\.driver"):
        ExperimentJob(Request(resume=path, consent=Consent("mock-small")))


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("laser", 'options.library = "/tmp/evil.so"'),
        ("laser", 'options.library = "@ivi"'),
        ("laser", 'options.library = "/tmp/evil.so@ivi"'),
        ("camera", 'options.producer = "evil.cti"'),
        ("camera", 'options.folder = "../evil"'),
        ("camera", 'options.adapter = "../evil"'),
        ("slm", 'options.sdk = "evil"'),
        ("slm", 'options.arguments.sdk_path = "evil"'),
    ],
)
def test_a_bench_file_cannot_name_a_library_to_load(
    section: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = MOCK.replace(f"[{section}]\n", f"[{section}]\n{line}\n")
    (tmp_path / "bench.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"{section}\.options\..*not confirmed on this computer"):
        open_bench(parse_bench(text, "bench"), 0)
    shown = CliRunner().invoke(application(), ["libraries", "bench.toml"])
    assert ": not confirmed" in shown.output
    shown = CliRunner().invoke(application(), ["libraries", "bench.toml", "--confirm"])
    assert shown.exit_code == 0 and ": confirmed" in shown.output
    assert all(library.confirmed for library in named_libraries(parse_bench(text, "bench")))


def test_a_confirmed_library_is_another_one_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = MOCK.replace("[camera]\n", '[camera]\noptions.producer = "maker.cti"\n')
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "a")
    (library,) = named_libraries(parse_bench(text, "bench"))
    library.confirm()
    assert library.confirmed
    monkeypatch.chdir(tmp_path / "b")
    (library,) = named_libraries(parse_bench(text, "bench"))
    assert not library.confirmed
    monkeypatch.setenv("LABDIFF_LIBRARIES", str(tmp_path / "b" / "maker.cti"))
    assert library.confirmed


def test_calibrations_that_a_run_names_are_used_if_they_are_its_bench_s(tmp_path: Path) -> None:
    folder = tmp_path / "mine.calibration"
    assert own_calibrations(None, REAL) is None
    assert own_calibrations(folder, REAL) == folder, "nothing is stored yet"
    assert own_calibrations(tmp_path / "home", REAL) is None
    found = Registration(np.eye(2), np.ones(2), 0.1, 0.2, Verdict("pass", ""))
    provenance = Provenance("registration", "2026-01-02T03:04:05+00:00", 1, 0.1)
    archive = CalibrationArchive(folder)
    archive.save(found, provenance)
    assert own_calibrations(folder, REAL) is None, "of another bench"
    sha256 = hashlib.sha256(REAL.encode()).hexdigest()
    archive.save(found, dataclasses.replace(provenance, bench_sha256=sha256))
    assert own_calibrations(folder, REAL) == folder
