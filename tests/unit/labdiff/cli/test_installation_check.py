from __future__ import annotations

from pathlib import Path

import pytest

from labdiff.cli.installation_check import examine


def install(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "RECORD").write_text(f"{name}.py,,\n{name}-1.0.dist-info/METADATA,,\n")


def test_unrelated_packages_of_pypi_are_named_and_the_right_ones_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, "slmpy", "raise RuntimeError('it is imported')  # communities in a network\n")
    install(tmp_path, "heds", "'''Holoeye's SDK'''\n")
    monkeypatch.syspath_prepend(tmp_path)
    findings = {finding.message.partition(" ")[0]: finding for finding in examine()}
    assert not findings["slmpy"].good and "pip uninstall slmpy" in findings["slmpy"].message
    assert findings["heds"].good and "pyspin" not in findings


def test_what_each_back_end_needs_is_no_fault() -> None:
    lines = [finding for finding in examine() if "Meadowlark" in finding.message]
    assert len(lines) == 1 and lines[0].good
