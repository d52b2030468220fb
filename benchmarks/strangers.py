"""Devices as strangers have them: benchmarks/strangers.py [--json] [--quick] [--smoke] [--part NAME].

Each case is a device or a bench that behaves as public reports and manuals describe. It ends right (its own
side agrees), refused in words with the remedy, silent (taken, and wrong) or raw (an error in no words of
ours). The inputs of LABDIFF_CASES are tried too, where it is set.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.parts import Part, parser, run_parts
from benchmarks.stranger_checks import benches, cameras, counts, lasers, panels, unready
from benchmarks.stranger_checks.case import part

PARTS: dict[str, Part] = {
    "lasers": part("lasers", lasers.cases),
    "cameras": part("cameras", cameras.cases),
    "counts": part("counts", counts.cases),
    "panels": part("panels", panels.cases),
    "benches": part("benches", benches.cases),
    "unready": part("unready", unready.cases),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("strangers", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
