"""What is installed, and what is wrong with it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from labdiff.data.folder import data_folder

PACKAGES = ("labdiff", "drivers", "calibration", "twin", "gui", "mock_hardware")
LIBRARIES = (
    "numpy",
    "scipy",
    "torch",
    "h5py",
    "PySide6-Essentials",
    "pyqtgraph",
    "pypylon",
    "PyVISA",
    "pillow",
    "pooch",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: good or not, in words."""

    good: bool
    words: str


def examine() -> list[Finding]:
    """Python, the six packages and where they come from, the libraries, the data folder."""
    findings = [Finding(sys.version_info >= (3, 11), f"Python {platform.python_version()}")]
    findings.append(_one_parent())
    for name in LIBRARIES:
        try:
            findings.append(Finding(True, f"{name} {metadata.version(name)}"))
        except metadata.PackageNotFoundError:
            findings.append(Finding(False, f"{name} is missing; install labdiff anew"))
    findings.append(_slmpy())
    named = os.environ.get("LABDIFF_DATA")
    if named and not Path(named).is_dir():
        findings.append(Finding(False, f"LABDIFF_DATA names {named}, which is no folder"))
    else:
        findings.append(Finding(True, f"data folder: {data_folder()}"))
    return findings


def _one_parent() -> Finding:
    """All six packages must come from one place: their names are generic and easily shadowed."""
    parents: dict[Path, list[str]] = {}
    for name in PACKAGES:
        spec = util.find_spec(name)
        if spec is None or spec.origin is None:
            return Finding(False, f"package {name} is missing; install labdiff anew")
        parents.setdefault(Path(spec.origin).parent.parent, []).append(name)
    if len(parents) == 1:
        return Finding(True, f"six packages from {next(iter(parents))}")
    where = "; ".join(f"{', '.join(names)} from {parent}" for parent, names in parents.items())
    return Finding(False, f"packages from several places, one shadows another: {where}")


def _slmpy() -> Finding:
    """PyPI's slmpy is an unrelated community-detection package."""
    if util.find_spec("slmpy") is None:
        return Finding(True, "slmPy not installed; the driver speaks its TCP protocol by itself")
    import slmpy

    if hasattr(slmpy, "SLMdisplay"):
        return Finding(True, "slmPy installed")
    return Finding(False, "PyPI's 'slmpy' is an unrelated package: pip uninstall slmpy")
