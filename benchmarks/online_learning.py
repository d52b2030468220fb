"""Online learning on a bench that is unknown, drifts and is knocked.

python benchmarks/online_learning.py [--json] [--quick] [--part figure7|real|drift|knock] [--seeds N]

Four parts, each alone with --part; a seed is a random mock bench (figure7: random angles). All methods of
a part meet the same batches. An error is the noise MSE on the bench of held-out images; only the model of
the bench as it is ("true") is made with what nobody has: noiseless frames of a bench that stands still.
In the hour of drift, steps are spread over the hour: the bench drifts between them.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from typing import Any

import torch
from rich.console import Console

from benchmarks.claims import Claim, claim, finish, parser
from benchmarks.online_checks.drift import Hour, hour
from benchmarks.online_checks.figure7 import figure7_problem
from benchmarks.online_checks.knock import knock
from benchmarks.online_checks.real import real

PARTS = ("figure7", "real", "drift", "knock")
Part = tuple[list[Claim], list[Any]]


def of_figure7(seeds: range, quick: bool, say: Any) -> Part:
    """Ten draws of four angles."""
    found = [said(say, figure7_problem(seed, 20 if quick else 80)) for seed in seeds]
    over = [f.mse["online"] / f.mse["calibrated"] for f in found]
    words = f"figure 7, median of {len(found)}"
    return [
        claim(f"{words}: online's D at the end", statistics.median(f.d for f in found), "<= 0.001"),
        claim(f"{words}: steps to D <= 1e-3", statistics.median(f.reached for f in found), "<= 80"),
        claim(
            f"{words}: online MSE over perfect calibration's", statistics.median(over), "<= 1.05"
        ),
        *[
            claim(
                f"{words}: MSE with {name} over online's",
                statistics.median(f.mse[method] / f.mse["online"] for f in found),
                ">= 1",
            )
            for method, name in (
                ("offline", "offline training"),
                ("backpropagation", "experimental backpropagation"),
            )
        ],
    ], found


def of_real(seeds: range, quick: bool, say: Any) -> Part:
    """Every imperfection."""
    found = [said(say, real(seed, 12 if quick else 80)) for seed in seeds]
    words = f"real problem, {len(found)} benches, worst"
    best = [f.online < min(f.physics_aware, f.offline) for f in found]
    over = max(f.online / f.true for f in found)
    return [
        claim(f"{words}: online MSE over the true model's", over, "<= 1.1"),
        claim(f"{words}: D over its floor", max(f.d / f.floor for f in found), "<= 1.5"),
        claim(
            "real problem: share of benches on which online is best", sum(best) / len(best), ">= 1"
        ),
    ], found


def of_drift(seeds: range, quick: bool, say: Any) -> Part:
    """A virtual hour."""
    found = [said(say, hour(seed, *((8, 4) if quick else (120, 20)))) for seed in seeds]
    online = [Hour.worst_over_best(f.online) for f in found]
    frozen = [Hour.worst_over_best(f.frozen) for f in found]
    words = f"an hour of drift, {len(found)} benches"
    return [
        claim(f"{words}, worst: online MSE over its best", max(online), "<= 1.1"),
        claim(f"{words}, least: frozen MSE over its best", min(frozen), ">= 1.1"),
        claim(f"{words}: false alarms", float(sum(f.alarms for f in found)), "<= 0"),
    ], found


def of_knock(seeds: range, quick: bool, say: Any) -> Part:
    """A mirror turned by 1 mrad."""
    found = [said(say, knock(seed)) for seed in seeds]
    words = f"mirror knocked by 1 mrad, {len(found)} benches, worst"
    return [
        claim(f"{words}: steps until noticed", max(f.noticed_after for f in found), "<= 5"),
        claim(f"{words}: MSE after over before", max(f.after / f.before for f in found), "<= 1.1"),
    ], found


def said(say: Any, found: Any) -> Any:
    """Print one seed's finding as it comes."""
    say(str(found))
    return found


def main() -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__, seeds=10)
    options.add_argument("--part", choices=PARTS, help="one part alone")
    options.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    seeds = range(arguments.first, arguments.first + (1 if arguments.quick else arguments.seeds))
    claims: list[Claim] = []
    details: dict[str, Any] = {}
    for part in PARTS if arguments.part is None else (arguments.part,):
        began_s = time.process_time()
        measured, found = globals()[f"of_{part}"](seeds, arguments.quick, console.print)
        claims += measured
        details[part] = [dataclasses.asdict(one) for one in found]
        details[f"{part}_cpu_seconds"] = time.process_time() - began_s
    finish("online_learning", claims, arguments.json, **details)


if __name__ == "__main__":
    main()
