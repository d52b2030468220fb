"""How fast the twin is: python benchmarks/twin_speed.py [--json] [--quick] [--part NAME].

Forward and backward with respect to four layers of 300 x 300 phases, gaps of 34.2 mm at 850 nm and
9.2 um, batch 16, complex64. Beside it, in the same run: torchoptics (from the extra `benchmarks`;
left out where it is missing), and the bare transforms that the twin needs. Part `plans` times every way
through the transforms, beside what this machine's plan is.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.parts import Part, parser, run_parts
from benchmarks.twin_checks import plans, speed

PARTS: dict[str, Part] = {
    "transforms": speed.transforms,
    "peers": speed.peers,
    "layers": speed.layers,
    "batch": speed.batches,
    "plans": plans.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("twin_speed", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
