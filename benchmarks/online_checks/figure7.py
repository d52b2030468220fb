"""Figure 7's problem: four angles of a few milliradians that the twin has 20 % too large."""

from __future__ import annotations

import dataclasses
import random
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.claims import claim
from benchmarks.parts import Outcome, Setting
from labdiff.job import run
from labdiff.reproduce import figure7
from labdiff.reproduce.context import Context
from labdiff.reproduce.result import Row, number

LAST = 10
"""An error is the mean over so many steps at the end."""
OPTIONS = {**figure7.SMALL, "image_size": 10}


@dataclasses.dataclass(frozen=True, slots=True)
class Ends:
    """Of one draw of angles: MSE on the experiment by method, and online's D, over the last steps."""

    mse: dict[str, float]
    d: float
    reached: int


def figure7_problem(seed: int, steps: int) -> Ends:
    """Train with all methods, on the same batches, with four angles drawn by a seed."""
    draw = random.Random(seed)

    def angle() -> float:
        return draw.choice((-1, 1)) * draw.uniform(2.0, 3.0)

    settings = figure7.Figure7Settings(
        data="digits",
        angles_mrad=(angle(), angle(), angle(), angle()),
        steps=steps,
        options=OPTIONS,
    )
    curves: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        context = Context("figure7", Path(folder), seed=seed)
        for method in figure7.NAMES:
            curves[method] = run(figure7.learn(context, settings, method))
    mse = {method: mean_at_end(rows, "mse") for method, rows in curves.items()}
    discrepancies = [number(row["discrepancy"]) for row in curves["online"]]
    reached = next((i + 1 for i, d in enumerate(discrepancies) if d <= 1e-3), steps + 1)
    return Ends(mse, mean_at_end(curves["online"], "discrepancy"), reached)


def mean_at_end(rows: list[Row], column: str) -> float:
    """Return the mean of a column over the last steps."""
    last = rows[-LAST:]
    return sum(number(row[column]) for row in last) / len(last)


def measure(setting: Setting) -> Outcome:
    """Train on ten draws of four angles."""
    steps = setting.amount("figure 7: steps", smoke=1, quick=10, full=80)
    draws = []
    for seed in setting.benches(10):
        draws.append(figure7_problem(seed, steps))
        setting.say(str(draws[-1]))
    title = f"figure 7, median of {len(draws)}"
    over = [ends.mse["online"] / ends.mse["calibrated"] for ends in draws]
    claims = [
        claim(f"{title}: online's D at the end", median(ends.d for ends in draws), "<= 0.001"),
        claim(f"{title}: steps to D <= 1e-3", median(ends.reached for ends in draws), "<= 80"),
        claim(f"{title}: online MSE over perfect calibration's", median(over), "<= 1.05"),
        *[
            claim(
                f"{title}: MSE with {name} over online's",
                median(ends.mse[method] / ends.mse["online"] for ends in draws),
                ">= 1",
            )
            for method, name in (
                ("offline", "offline training"),
                ("backpropagation", "experimental backpropagation"),
            )
        ],
    ]
    return Outcome(claims, {"draws": [dataclasses.asdict(ends) for ends in draws]})
