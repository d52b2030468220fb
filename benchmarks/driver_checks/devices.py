"""`labdiff devices`, from the command to its last line: with nothing attached, and with all emulators."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from benchmarks.children import python
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from tests.contracts.c_stubs import alp, blink

NOTHING = {"MICROMANAGER_PATH": "/nowhere", "QT_QPA_PLATFORM": "offscreen"}
"""Variables without emulators: the package of test adapters, which Micro-Manager finds, is one too."""


def measure(setting: Setting) -> Outcome:
    """Time the command, and compare what it found with what there is."""
    rounds = setting.amount("rounds", smoke=1, quick=1, full=7)
    none_s, worked_s, found = _asked(rounds, NOTHING)
    cameras = [one for one in found if one["kind"] == "camera"]
    claims = [
        claim("labdiff devices, no emulator on, s", none_s, "<= 1"),
        claim("the same, processor s of all its processes", worked_s, "<= 2"),
        claim("cameras found where there is none", len(cameras), "<= 0"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        environment, expected = _emulators(Path(folder))
        all_s, worked_s, found = _asked(rounds, environment)
    drivers = {one["driver"] for one in found}
    missing = expected - drivers
    claims += [
        claim(f"labdiff devices, {len(expected)} back ends' emulators on, s", all_s, "<= 4"),
        claim("the same, processor s of all its processes", worked_s, "<= 8"),
    ]
    title = f"emulated back ends that were not found{': ' if missing else ''}{', '.join(missing)}"
    claims.append(claim(title, len(missing), "<= 0"))
    claims.append(claim("devices found", len(found), f">= {len(expected)}"))
    return Outcome(claims)


def _asked(rounds: int, environment: dict[str, str]) -> tuple[float, float, list[dict[str, str]]]:
    """Return seconds of the clock and of the processor, medians; and what was found last.

    The processor's hardly depend on what else the computer does; two cores have twice the clock's.
    """
    times_s, worked_s, found = [], [], []
    for _ in range(rounds):
        started_s, worked = time.perf_counter(), os.times()
        done = python("-m", "labdiff", "devices", "--json", variables=environment)
        times_s.append(time.perf_counter() - started_s)
        after = os.times()
        worked_s.append(sum(after[2:4]) - sum(worked[2:4]))
        answers = json.loads(done.stdout.strip().splitlines()[-1])
        found = [one for answer in answers for one in answer["found"]]
    return statistics.median(times_s), statistics.median(worked_s), found


def _emulators(folder: Path) -> tuple[dict[str, str], set[str]]:
    """Return variables that switch every emulator on, and the drivers that should find them."""
    alp(folder)
    blink("pcie 8", folder)
    visa = resources.files("mock_hardware.visa").joinpath("instruments.yaml")
    environment = {
        "PYLON_CAMEMU": "2",
        "LABDIFF_ALP": str(folder),
        "LABDIFF_BLINK": str(folder),
        "LABDIFF_VISA": f"{visa}@sim",
        "QT_QPA_PLATFORM": "offscreen",
    }
    expected = {"basler", "dmd_alp", "meadowlark", "scpi_laser", "pm100", "screen"}
    genicam = find_spec("genicam")
    if genicam is not None and find_spec("harvesters") is not None:
        places = genicam.submodule_search_locations
        environment["GENICAM_GENTL64_PATH"] = os.pathsep.join(places or ())
        expected.add("genicam")
    if find_spec("mm_test_adapters") is not None and find_spec("pymmcore") is not None:
        expected.add("micromanager")
    return environment, expected
