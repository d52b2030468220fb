"""Runs outlast their bench, or end well: benchmarks/faults.py [--json] [--quick] [--part NAME]."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.fault_checks import (
    beside,
    dialects,
    injected,
    kills,
    memory,
    off_first,
    signals,
)
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "injected": injected.measure,
    "kills": kills.measure,
    "memory": memory.measure,
    "beside": beside.measure,
    "off_first": off_first.measure,
    "dialects": dialects.measure,
    "signals": signals.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("faults", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
