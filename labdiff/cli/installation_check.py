"""A check of the installation: what is installed, and what is wrong with it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from drivers import entry_points
from drivers.discovery.search import all_back_ends
from drivers.errors import DeviceNotFoundError
from drivers.registry import KINDS
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
    "PyVISA-py",
    "pyserial",
    "pillow",
    "pooch",
)

MOST_FILES = 50
UNRELATED = {
    "slmpy": (b"slmdisplay", "slmPy, from its GitHub repository wavefrontshaping/slmPy"),
    "heds": (b"holoeye", "Holoeye's, which comes with its SLM Display SDK"),
    "pyspin": (b"spinnaker", "FLIR's PySpin, which comes with Spinnaker"),
    "pycrafter": (b"dlpc", "a driver of DLP boards"),
}
"""Packages by their name on PyPI: a word that only the right package has, and which package that is."""


@dataclass(frozen=True, slots=True)
class InstallationFinding:
    """One line of the check.

    Attributes:
        good: Nothing is wrong.
        message: What was found.
    """

    good: bool
    message: str


def examine() -> list[InstallationFinding]:
    """Check Python, the six packages and their origin, libraries, back ends and the data folder."""
    findings = [
        InstallationFinding(sys.version_info >= (3, 11), f"Python {platform.python_version()}")
    ]
    findings.append(_one_parent())
    for name in LIBRARIES:
        try:
            findings.append(InstallationFinding(True, f"{name} {metadata.version(name)}"))
        except metadata.PackageNotFoundError:
            findings.append(InstallationFinding(False, f"{name} is missing; install labdiff anew"))
    findings += _shadowed()
    findings += _back_ends()
    findings += _installed_drivers()
    named = os.environ.get("LABDIFF_DATA")
    if named and not Path(named).is_dir():
        findings.append(
            InstallationFinding(False, f"LABDIFF_DATA names {named}, which is no folder")
        )
    else:
        findings.append(InstallationFinding(True, f"data folder: {data_folder()}"))
    return findings


def _one_parent() -> InstallationFinding:
    """Check that all six packages come from one place: their names are generic and easily shadowed."""
    parents: dict[Path, list[str]] = {}
    for name in PACKAGES:
        spec = util.find_spec(name)
        if spec is None or spec.origin is None:
            return InstallationFinding(False, f"package {name} is missing; install labdiff anew")
        parents.setdefault(Path(spec.origin).parent.parent, []).append(name)
    if len(parents) == 1:
        return InstallationFinding(True, f"six packages from {next(iter(parents))}")
    where = "; ".join(f"{', '.join(names)} from {parent}" for parent, names in parents.items())
    return InstallationFinding(False, f"packages from several places, one shadows another: {where}")


def _shadowed() -> list[InstallationFinding]:
    """Find packages of PyPI that have a device library's name and are something else.

    Their files are read and never imported: a stranger's package might do anything.
    """
    findings = []
    for name, (mark, description) in UNRELATED.items():
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            continue
        sources = [file for file in files if file.suffix == ".py"][:MOST_FILES]
        paths = [Path(file.locate()) for file in sources]
        if any(mark in path.read_bytes().lower() for path in paths if path.is_file()):
            findings.append(InstallationFinding(True, f"{name} is {description}"))
        else:
            unrelated = f"{name} is PyPI's, an unrelated package, and not {description}"
            findings.append(InstallationFinding(False, f"{unrelated}: pip uninstall {name}"))
    return findings


def _back_ends() -> list[InstallationFinding]:
    """Check which back ends can search for devices, and what the others need; none is required."""
    findings = []
    for back_end in all_back_ends().values():
        needs = back_end.needs()
        state = f"not used: needs {needs}" if needs else "ready"
        findings.append(InstallationFinding(True, f"{back_end.title}: {state}"))
    return findings


def _installed_drivers() -> list[InstallationFinding]:
    """Check the drivers that other packages bring: each is loaded, and none takes another's name."""
    findings = []
    for entry in entry_points.all_installed():
        kind, _, name = entry.name.partition(".")
        called = f"driver {entry.name} ({entry.value} of {entry_points.package_of(entry)})"
        if kind not in KINDS or not name:
            problem = f"{called}: expected a name such as camera.mylab, of {', '.join(KINDS)}"
        elif name in KINDS[kind].built_in:
            problem = f"{called} is not used: labdiff has a driver of that name; it needs another"
        else:
            try:
                KINDS[kind].find(name)
                problem = ""
            except DeviceNotFoundError as error:
                problem = str(error)
        findings.append(InstallationFinding(not problem, problem or called))
    return findings
