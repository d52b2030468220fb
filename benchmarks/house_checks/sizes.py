"""How long files are, and how many lie at the root of labdiff."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.house_checks.source import ROOT, Module


def root_files(root: Path = ROOT) -> list[str]:
    """Return the names of the Python files at the root of labdiff."""
    return sorted(path.name for path in (root / "labdiff").glob("*.py"))


def long_files(source: Iterable[Module], most: int) -> list[str]:
    """Return the files with more lines than that, the longest first."""
    long = sorted((m for m in source if m.lines > most), key=lambda m: -m.lines)
    return [f"{module.path}: {module.lines}" for module in long]


def median_lines(source: Iterable[Module]) -> float:
    """Return the median number of lines; an empty `__init__` is no file that anybody reads."""
    return float(median(module.lines for module in source if module.text.strip()))
