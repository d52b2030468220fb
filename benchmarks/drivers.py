"""Real devices, proven without a laboratory: benchmarks/drivers.py [--json] [--quick] [--part NAME]."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.driver_checks import (
    camera_faults,
    camera_pairs,
    closed_loop,
    contracts,
    devices,
    lines,
    size,
)
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "camera_faults": camera_faults.measure,
    "camera_pairs": camera_pairs.measure,
    "closed_loop": closed_loop.measure,
    "contracts": contracts.measure,
    "devices": devices.measure,
    "lines": lines.measure,
    "size": size.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("drivers", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
