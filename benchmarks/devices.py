"""Where the twin computes: python benchmarks/devices.py [--json] [--quick] [--part NAME].

On torch's `meta` device, which stands for a GPU where there is none, all paths run and nothing crosses to
the host in a training step; on the CPU, `--device cpu` gives what a plain loop gives, to the bit; on an
NVIDIA GPU, where one is at hand, the time of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.device_checks import gpu, identity, meta
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "meta": meta.measure,
    "identity": identity.measure,
    "speed": gpu.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    run_parts("devices", PARTS, parser(__doc__, PARTS).parse_args(arguments))


if __name__ == "__main__":
    main()
