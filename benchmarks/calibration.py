"""How well the calibrations measure: python benchmarks/calibration.py [--json] [--quick] [--seeds N].

Random mock benches with every effect on. Each routine runs as `labdiff calibrate` runs it, and what it
found is compared with the mock's hidden truth, which only this script reads.

    benches     healthy benches against their truth
    frames      frames of a whole calibration, beside one that takes all it may
    refusals    benches on which something is wrong
    timing      settling and beam
    slow_panels settling where the bench file declares another time
    kills       kill -9 at random moments
    slmsuite    ours beside slmsuite's own, on its simulated devices
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.calibration_checks import (
    faulty_benches,
    frames,
    healthy_benches,
    kills,
    peer,
    slow_panels,
    timing,
)
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "benches": healthy_benches.measure,
    "frames": frames.measure,
    "refusals": faulty_benches.measure,
    "timing": timing.measure,
    "slow_panels": slow_panels.measure,
    "kills": kills.measure,
    "slmsuite": peer.measure,
}
NOT_QUICK = ("slmsuite",)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    given = parser(__doc__, PARTS, seeds=True).parse_args(arguments)
    run_parts("calibration", PARTS, given, not_quick=NOT_QUICK)


if __name__ == "__main__":
    main()
