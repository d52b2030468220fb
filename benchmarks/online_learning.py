"""Online learning on a bench that is unknown, drifts and is knocked: python benchmarks/online_learning.py.

    figure7     four angles that the twin has wrong, drawn at random
    rays        a twin that was never fitted
    calibrated  beside further steps on the calibrated twin, and physics-aware: never worse
    unmodelled  the same with effects that the twin has no parameter for
    peers       beside simultaneous perturbation and policy gradients, at equal frames
    real        every imperfection
    ideal       the whole job beside the same without a bench: errors and images
    drift       an hour in which the bench drifts between the steps
    knock       a mirror turned in mid-run

A seed is a random mock bench (figure7: random angles). All methods of a part meet the same batches. An
error is the noise MSE on the bench of held-out images; only the model of the bench as it is ("true") is
made with what nobody has: noiseless frames of a bench that stands still.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.online_checks import drift, figure7, ideal, knock, peers, rays, real, regimes
from benchmarks.parts import Part, parser, run_parts

PARTS: dict[str, Part] = {
    "figure7": figure7.measure,
    "rays": rays.measure,
    "calibrated": regimes.measure_calibrated,
    "unmodelled": regimes.measure_unmodelled,
    "peers": peers.measure,
    "real": real.measure,
    "ideal": ideal.measure,
    "drift": drift.measure,
    "knock": knock.measure,
}


NOT_QUICK = ("rays", "calibrated", "unmodelled", "peers", "real", "ideal", "drift")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    given = parser(__doc__, PARTS, seeds=True).parse_args(arguments)
    run_parts("online_learning", PARTS, given, not_quick=NOT_QUICK)


if __name__ == "__main__":
    main()
