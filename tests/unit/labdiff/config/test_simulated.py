"""What of a bench is simulated is one sentence, which all that is measured on it carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest
from rich.console import Console

from calibration.archive import CalibrationArchive
from calibration.dark import DarkLevel
from calibration.provenance import Provenance
from calibration.result import Verdict
from gui.runs.run_page import run_page
from labdiff.bench.open import open_bench
from labdiff.config.bench import BenchConfig, bench_text, load_bench, parse_bench
from labdiff.config.simulated import simulated_devices, simulated_in, with_simulated
from labdiff.reports.calibration_report import calibration_parts, write_calibration_report
from labdiff.reports.run_report import write_report
from labdiff.reports.run_terminal import run_view
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder

SLM = 'driver = "mock"\nshape = [144, 640]'
MIXED = bench_text("mock")[1].replace(
    SLM, 'driver = "slmpy"\naddress = "127.0.0.1:1"\nshape = [144, 640]', 1
)
"""A bench file with one real device."""
SENTENCE = "simulated: camera, laser (mock)"


def changed(**sections: dict[str, Any]) -> BenchConfig:
    parts = load_bench("mock").model_dump()
    for section, values in sections.items():
        parts[section] |= values
    return BenchConfig.model_validate(parts)


REAL = {
    "slm": {"driver": "slmpy", "address": "a"},
    "camera": {"driver": "basler"},
    "laser": {"driver": "manual"},
}


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({}, "simulated: all devices (mock)"),
        (REAL, ""),
        ({**REAL, "slm": {}}, "simulated: SLM (mock)"),
        ({"slm": REAL["slm"]}, SENTENCE),
        ({"laser": {"driver": "none"}}, "simulated: SLM, camera (mock)"),
        ({**REAL, "slm": {"driver": "none"}}, ""),
        (
            {**REAL, "input": {"kind": "dmd", "driver": "mock"}},
            "simulated: DMD (mock)",
        ),
        (
            {**REAL, "slm": {"driver": "slmsuite", "address": "simulated"}},
            "simulated: SLM (slmsuite's simulation)",
        ),
        (
            {"camera": {"driver": "basler", "options": {"image_folder": "played"}}},
            "simulated: SLM, laser (mock); camera (images of a folder)",
        ),
        (
            {**REAL, "camera": {"driver": "folder", "options": {"image_folder": "images"}}},
            "simulated: camera (images of a folder)",
        ),
    ],
)
def test_the_sentence_names_what_is_simulated(
    sections: dict[str, dict[str, Any]], sentence: str
) -> None:
    assert simulated_devices(changed(**sections)) == sentence


def test_a_makers_emulator_is_known_by_its_name_or_serial_number() -> None:
    sentence = "simulated: SLM (mock); camera (Basler's emulator)"
    config = changed(**{**REAL, "slm": {}})
    assert simulated_devices(config, "Basler Emulation 0815-0000") == sentence
    assert simulated_devices(config, "Basler a2A1920 40012345") == "simulated: SLM (mock)"
    camera = {"driver": "basler", "serial": "0815-0001"}
    assert simulated_devices(changed(**{**REAL, "slm": {}, "camera": camera})) == sentence


def test_the_sentence_of_a_bench_files_text() -> None:
    assert simulated_in(MIXED) == SENTENCE
    assert simulated_in("no bench file") == ""
    assert with_simulated("bench", "") == "bench"
    assert with_simulated("bench", SENTENCE) == f"bench; {SENTENCE}"


def test_an_open_bench_describes_itself_with_it() -> None:
    with open_bench(load_bench("mock-small"), 0) as bench:
        assert bench.simulated == "simulated: all devices (mock)"
        assert bench.simulated in bench.description()["bench"]
        assert bench.simulated in repr(bench)


def test_a_run_file_and_all_that_is_made_of_it_say_it(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    Recorder(path, MIXED, "{}", 0).close()
    with h5py.File(path) as file:
        assert file["entry/config"].attrs["simulated"] == SENTENCE
    run = read_run(path)
    assert run.simulated == SENTENCE
    assert SENTENCE in run_page(run)
    assert SENTENCE in write_report(run, tmp_path / "report.html").read_text(encoding="utf-8")
    console = Console(width=200)
    with console.capture() as shown:
        console.print(run_view(run, 0.0))
    assert SENTENCE in shown.get()


def test_calibrations_are_stored_and_reported_with_it(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path / "archive")
    about = Provenance("dark level", "2026-01-02T03:04:05+00:00", 16, 1.0, simulated=SENTENCE)
    stored = archive.save(DarkLevel(80.0, 0.1, 2.0, Verdict("pass", "dark")), about)
    assert archive.read(archive.folder / f"{stored.id}.h5").provenance.simulated == SENTENCE
    config = parse_bench(MIXED, "bench.toml")
    page = write_calibration_report(archive, config).read_text(encoding="utf-8")
    assert page.count("camera, laser (mock)") == 2, "at the top, and where the result comes from"
    assert SENTENCE in "".join(calibration_parts(archive, config))


def test_a_provenance_of_before_says_nothing() -> None:
    about = Provenance("dark level", "2026-01-02T03:04:05+00:00", 16, 1.0)
    older = about.to_json().replace(', "simulated": ""', "")
    assert "simulated" not in older
    assert Provenance.from_json(older).simulated == ""
    with pytest.raises(TypeError, match="simulated"):
        Provenance.from_json(about.to_json().replace('"simulated": ""', '"simulated": 3'))
