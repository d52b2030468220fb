"""The twin in float32 against float64: python benchmarks/twin_accuracy.py [--json] [--quick]."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.parts import Part, parser, run_parts
from benchmarks.twin_checks import closed_forms, gradients

PARTS: dict[str, Part] = {
    "closed_forms": closed_forms.measure,
    "gradients": gradients.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("twin_accuracy", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
