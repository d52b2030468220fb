"""The contract suites of SLMs, lasers, meters and modulators: passes by back end, no failure."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as Xml
from collections import Counter
from pathlib import Path

from benchmarks.children import python
from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting

SUITES = {"slm": "slm", "laser": "every_laser", "meter": "meter", "modulator": "modulator"}
"""Files of tests/contracts by kind of device."""
WINDOWLESS = ("laser", "meter", "modulator")
"""Suites that open no windows."""


def measure(setting: Setting) -> Outcome:
    """Run each suite: passes, failures, and each back end's own contract test."""
    suites = setting.amount("suites", smoke=("modulator",), quick=WINDOWLESS, full=tuple(SUITES))
    return Outcome([each for suite in suites for each in _suite(suite)])


def _suite(name: str) -> list[Claim]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        python(
            "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
            f"tests/contracts/test_{SUITES[name]}.py",
            variables={"QT_QPA_PLATFORM": "offscreen"},
        )  # fmt: skip
        cases = list(Xml.parse(report).iter("testcase"))
    counts: Counter[str] = Counter()
    back_ends: list[Claim] = []
    for case in cases:
        verdict = next(
            (kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None), ""
        )
        counts[verdict or "passed"] += 1
        test, bracket, back_end = case.get("name", "").partition("[")
        if bracket and test in (
            "test_slm",
            "test_laser",
            "test_power_meter",
            "test_input_modulator",
        ):
            title = f"{name} contract through {back_end.removesuffix(']')}: {verdict or 'passed'}"
            back_ends.append(claim(title, float(not verdict), ">= 1"))
    failed = counts["failure"] + counts["error"]
    return [
        claim(f"{name} suite, tests that passed", counts["passed"], ">= 1"),
        claim(f"{name} suite, tests that failed", failed, "<= 0"),
        claim(f"{name} suite, tests skipped", counts["skipped"], "<= 0"),
        *back_ends,
    ]
