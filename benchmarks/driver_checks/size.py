"""Small files, and an import that costs nothing until a device is opened."""

from __future__ import annotations

import statistics

from benchmarks.children import ROOT, python
from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting

IMPORT = """
import time
begun_s, worked_s = time.perf_counter(), time.process_time()
import drivers, drivers.registry, drivers.protocols
print(time.perf_counter() - begun_s, time.process_time() - worked_s)
"""


def measure(setting: Setting) -> Outcome:
    """Count the lines of the longest file, and time the import."""
    rounds = setting.amount("imports", smoke=1, quick=3, full=11)
    lines = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "drivers").rglob("*.py")
    }
    longest = max(lines, key=lambda path: lines[path])
    times_s = [python("-c", IMPORT).stdout.split() for _ in range(rounds)]
    clock_s, worked_s = (statistics.median(map(float, each)) for each in zip(*times_s, strict=True))
    name = longest.relative_to(ROOT).as_posix()
    claims = [
        claim(f"lines of the longest driver file, {name}", lines[longest], "<= 249"),
        claim("import of drivers, registry and protocols, s", clock_s, "<= 0.15"),
        claim("the same, processor s", worked_s, "<= 0.15"),
    ]
    return Outcome(claims)
