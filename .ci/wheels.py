"""Resolve every pin of constraints.txt to a wheel for Windows and macOS: python .ci/wheels.py.

pip is asked what it would install there, from wheels alone; nothing is installed. A pin without a wheel,
and what a pinned package needs there without being pinned itself, are printed, and the exit code is 1.
`--only win_amd64-3.13` asks for one of them. Needs an index, and the environment that run.py makes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "constraints.txt"
# 3.11.9 is the last 3.11 with an installer for Windows; some pins ask for 3.11.5 or newer.
PYTHONS = ("3.11.9", "3.12.10", "3.13.5")
MACOS = tuple(
    f"macosx_{major}_0_{kind}" for major in (11, 12, 13, 14) for kind in ("arm64", "universal2")
)
UNPINNED = "No matching distribution found for "


@dataclass(frozen=True, slots=True)
class Target:
    """A system, its names for wheels, and a version of Python."""

    system: str
    platforms: tuple[str, ...]
    python: str

    @property
    def name(self) -> str:
        """Name by which --only chooses it."""
        return f"{self.platforms[0]}-{self.python.rpartition('.')[0]}"

    def environment(self) -> dict[str, str]:
        """Return the values that requirements' markers have there."""
        windows = self.system == "Windows"
        return {
            "sys_platform": "win32" if windows else "darwin",
            "platform_system": self.system,
            "os_name": "nt" if windows else "posix",
            "platform_machine": "AMD64" if windows else "arm64",
            "python_version": self.python.rpartition(".")[0],
            "python_full_version": self.python,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "extra": "",
        }


TARGETS = [
    *(Target("Windows", ("win_amd64",), python) for python in PYTHONS),
    *(
        Target("Darwin", ("macosx_14_0_arm64", *MACOS, "macosx_10_9_universal2"), python)
        for python in PYTHONS
    ),
]


def resolve(target: Target, pins: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what pip would install of the pins, and the pins that have no wheel there."""
    lacking: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        report, listed = Path(folder, "report.json"), Path(folder, "pins.txt")
        platforms = [word for each in target.platforms for word in ("--platform", each)]
        while pins:
            listed.write_text("\n".join(pins), encoding="utf-8")
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"),
                    *("--ignore-installed", "--target", folder, "--only-binary=:all:", *platforms),
                    *(
                        "--python-version",
                        target.python,
                        "--report",
                        str(report),
                        "-r",
                        str(listed),
                    ),
                ],
                capture_output=True,
                text=True,
                encoding="utf-8",
            )
            if not done.returncode:
                return json.loads(report.read_text(encoding="utf-8"))["install"], lacking
            found = re.search(re.escape(UNPINNED) + r"(\S+)", done.stderr)
            if found is None or found[1] not in pins:
                sys.exit(f"pip cannot resolve for {target.name}:\n{done.stderr[-2000:]}")
            lacking.append(found[1])
            pins = [pin for pin in pins if pin != found[1]]
    return [], lacking


def unpinned(target: Target, installed: list[dict[str, Any]], names: set[str]) -> list[str]:
    """Return what the packages need on a target and constraints.txt does not pin."""
    missing = set()
    for each in installed:
        for text in each["metadata"].get("requires_dist", []):
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate(target.environment()):
                continue
            if canonicalize_name(needed.name) not in names:
                missing.add(f"{needed.name} (of {each['metadata']['name']})")
    return sorted(missing, key=str.lower)


def main(only: str = "") -> int:
    """Resolve for every target, or one; return 1 if something is missing."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    pins = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    names = {canonicalize_name(Requirement(pin).name) for pin in pins}
    failed = False
    for target in (each for each in TARGETS if only in ("", each.name)):
        installed, lacking = resolve(target, pins)
        loose = unpinned(target, installed, names)
        failed |= bool(lacking)
        print(f"{target.name}: {len(installed)} of {len(pins)} pins have a wheel", flush=True)
        for title, found in (("no wheel", lacking), ("not pinned", loose)):
            if found:
                print(f"  {title}: {', '.join(found)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[2] if sys.argv[1:2] == ["--only"] else ""))
