"""The mock bench against physics: python benchmarks/mock_physics.py [--json] [--quick] [--part NAME]."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.mock_checks import (
    closed_forms,
    drift,
    dynamics,
    effects,
    faults,
    full_disk,
    independence,
    photon_transfer,
)
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "closed_forms": closed_forms.measure,
    "photon_transfer": photon_transfer.measure,
    "dynamics": dynamics.measure,
    "drift": drift.measure,
    "effects": effects.measure,
    "independence": independence.measure,
    "faults": faults.measure,
    "full_disk": full_disk.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("mock_physics", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
