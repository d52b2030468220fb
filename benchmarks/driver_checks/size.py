"""Small files, and an import that costs nothing until a device is opened."""

from __future__ import annotations

import statistics

from claims import Claim, claim

from driver_checks._paths import ROOT, python

IMPORT = """
import time
begun_s = time.perf_counter()
import drivers, drivers.registry, drivers.protocols
print(time.perf_counter() - begun_s)
"""


def check(quick: bool) -> list[Claim]:
    """Lines of the longest file, and seconds of the import."""
    lines = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "drivers").rglob("*.py")
    }
    longest = max(lines, key=lambda path: lines[path])
    times_s = [float(python("-c", IMPORT).stdout) for _ in range(3 if quick else 11)]
    name = longest.relative_to(ROOT).as_posix()
    return [
        claim(f"lines of the longest driver file, {name}", lines[longest], "<= 249"),
        claim(
            "import of drivers, registry and protocols, s", statistics.median(times_s), "<= 0.15"
        ),
    ]
