"""Small files, and an import that costs nothing until a device is opened."""

from __future__ import annotations

import statistics

from benchmarks.claims import Claim, claim
from benchmarks.driver_checks._paths import ROOT, python

IMPORT = """
import time
begun_s, worked_s = time.perf_counter(), time.process_time()
import drivers, drivers.registry, drivers.protocols
print(time.perf_counter() - begun_s, time.process_time() - worked_s)
"""


def check(quick: bool) -> list[Claim]:
    """Lines of the longest file, and seconds of the import."""
    lines = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "drivers").rglob("*.py")
    }
    longest = max(lines, key=lambda path: lines[path])
    times_s = [python("-c", IMPORT).stdout.split() for _ in range(3 if quick else 11)]
    clock_s, worked_s = (statistics.median(map(float, each)) for each in zip(*times_s, strict=True))
    name = longest.relative_to(ROOT).as_posix()
    return [
        claim(f"lines of the longest driver file, {name}", lines[longest], "<= 249"),
        claim("import of drivers, registry and protocols, s", clock_s, "<= 0.15"),
        claim("the same, processor s", worked_s, "<= 0.15"),
    ]
