"""From one machine to many: python benchmarks/scaling.py [--json] [--quick] [--part NAME ...].

    layers      eight layer sets by two workers, beside one after the other
    sweep       a worker killed in mid-sweep; the driver killed
    remote      a bench behind two Ray nodes: duty, wrong frames, the network cut
    gradients   one layer set by two processes
    absent      without Ray
    cost        seconds of a training step, for docs/scaling.md

What is timed is disturbed by whatever else the machine does: the share of a core that a lone process got
meanwhile is given beside the times; below 0.95 they are of a busy machine, and are to be taken again.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.parts import Part, parser, run_parts
from benchmarks.scaling_checks import absent, cost, gradients, layer_sets, remote, sweeps

PARTS: dict[str, Part] = {
    "layers": layer_sets.measure,
    "sweep": sweeps.measure,
    "remote": remote.measure,
    "gradients": gradients.measure,
    "absent": absent.measure,
    "cost": cost.measure,
}
NOT_QUICK = ("sweep", "remote")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    given = parser(__doc__, PARTS).parse_args(arguments)
    run_parts("scaling", PARTS, given, not_quick=NOT_QUICK)


if __name__ == "__main__":
    main()
