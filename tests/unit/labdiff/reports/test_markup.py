"""No text from a run, a bench, a device or an evaluation becomes a tag in a page."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import gui
import labdiff
from calibration.archive import CalibrationArchive
from calibration.exposure import Exposure
from calibration.provenance import Provenance
from calibration.result import Verdict
from gui.runs.evaluation_page import read_evaluation
from gui.runs.run_page import run_page
from labdiff.config.bench import load_bench
from labdiff.events import Calibrated, JobEnded, Measured
from labdiff.reports.calibration_report import write_calibration_report
from labdiff.reports.html_page import fragment, write_page
from labdiff.reports.markup import Markup, cell, details, element, joined, table, tag
from labdiff.reports.run_report import run_parts, write_report
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder

ATTACK = (
    "</td></pre><script>alert(1)</script><img src=x onerror='alert(2)'>\"'><svg onload=alert(3)>"
)
TAGS = re.compile(r"<\s*(script|svg)|<img src=x", re.IGNORECASE)


def harmless(page: str) -> None:
    """The attack is there to be read, and no tag of it came through, also out of an attribute."""
    assert not TAGS.search(page)
    assert "&lt;script&gt;" in page
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r"'[^']*'|\"[^\"]*\"", "", page))


def test_helpers_escape_what_is_no_markup() -> None:
    assert element("p", "a < b", element("b", "c")) == "<p>a &lt; b<b>c</b></p>"
    assert isinstance(joined(["<", element("b", "x")]), Markup)
    for made in (
        element("p", ATTACK, css=ATTACK, title=ATTACK),
        table([(ATTACK, cell(ATTACK, css=ATTACK), tag(ATTACK))]),
        details(ATTACK, ATTACK),
        joined([ATTACK], ATTACK),
        element("img", alt=ATTACK),
    ):
        assert not TAGS.search(made) and "&lt;script&gt;" in made
    # What is formatted or added to is text again.
    assert not isinstance(f"{element('b', 'x')}", Markup)
    assert not isinstance(element("b", "x") + ATTACK, Markup)


def test_a_caller_that_forgets_shows_text(tmp_path: Path) -> None:
    page = write_page(tmp_path / "a.html", ATTACK, [f"<p>{ATTACK}</p>"])  # type: ignore[list-item]
    harmless(page.read_text())
    harmless(fragment([ATTACK]))  # type: ignore[list-item]


@pytest.fixture
def attacked(tmp_path: Path) -> Path:
    """A run file with the attack in every string that a recorder writes."""
    path = tmp_path / "run.h5"
    options = json.dumps({ATTACK: ATTACK, "data": [ATTACK]})
    recorder = Recorder(path, f"name = '{ATTACK}'\n", options, 0)
    recorder(Measured({ATTACK.replace("/", ""): 0.5, "mse_wiener": 0.1}))
    verdict = Verdict("pass", ATTACK, ATTACK)
    recorder(Calibrated("exposure", Exposure(1.2, 0.3, verdict, 10.0, 251.0)))
    recorder(JobEnded("failed", ATTACK))
    return path


def test_a_run_file_puts_no_tag_into_a_page(attacked: Path) -> None:
    run = read_run(attacked)
    for tampered in (
        run,
        replace(run, outcome=ATTACK, start_time=ATTACK, versions={ATTACK: ATTACK}),
        replace(run, path=Path("x") / ATTACK.replace("/", "")),
    ):
        harmless(write_report(tampered, attacked.parent / "report.html").read_text())
        harmless(fragment(run_parts(tampered)))
        harmless(run_page(tampered))


def test_device_names_and_notes_put_no_tag_into_a_calibration_page(tmp_path: Path) -> None:
    archive = CalibrationArchive(tmp_path)
    about = Provenance(
        routine="exposure",
        taken_utc="2026-01-01T10:00:00+00:00",
        frames=3,
        seconds=0.1,
        devices={"camera": ATTACK},
        settings={ATTACK: 1.0},
        versions={ATTACK: ATTACK},
        bench_sha256=ATTACK,
    )
    archive.save(Exposure(1.2, 0.3, Verdict("pass", ATTACK, ATTACK), 10.0, 251.0), about)
    bench = load_bench("mock").model_copy(update={"name": ATTACK})
    harmless(write_calibration_report(archive, bench).read_text())


def test_an_evaluation_file_puts_no_tag_into_the_window(tmp_path: Path) -> None:
    run = tmp_path / "run.h5"
    errors = {"first_t": ATTACK, "end_t": 2, "noise_mse": 1.0, "noise_mse_se": 1.0,
              "clean_mse": None, "predictor": ATTACK}  # fmt: skip
    figure = {"value": 1.0, "low": 1.0, "high": 1.0, "real": 1.0}
    found = {
        "run": str(run),
        **dict.fromkeys(("where", "seed", "data", "sampler", "classifier_task"), ATTACK),
        "classifier_accuracy": 0.5,
        "errors": [errors],
        "mean_errors": {ATTACK: {"noise_mse": 1.0, "clean_mse": 1.0}},
        "images": [{"count": ATTACK, "features": ATTACK, "resamples": ATTACK,
                    "figures": {ATTACK: figure}}],
    }  # fmt: skip
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "evaluation.json").write_text(json.dumps(found))
    page = read_evaluation(run)
    assert page is not None
    harmless(page)


def test_html_is_made_by_the_helpers_alone() -> None:
    """Nobody else escapes, or writes a tag around a value."""
    allowed = {"markup.py", "html_page.py", "description.py"}
    found = []
    for package in (labdiff, gui):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            if path.name in allowed:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    texts = [v.value for v in node.values if isinstance(v, ast.Constant)]
                    if any(
                        re.search(r"<(p|td|tr|h\d|pre|span|div)\b[^>]*>", str(t)) for t in texts
                    ):
                        found.append(f"{path.name}:{node.lineno}")
    assert not found
