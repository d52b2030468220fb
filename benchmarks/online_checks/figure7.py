"""Figure 7's problem: four angles of a few milliradians that the twin has 20 % too large."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labdiff.job import run
from labdiff.reproduce import figure7
from labdiff.reproduce.context import Context
from labdiff.reproduce.result import Row, number

LAST = 10


OPTIONS = {**figure7.SMALL, "image_size": 10}


@dataclass(frozen=True, slots=True)
class Ends:
    """Of one draw of angles: MSE on the experiment by method, and online's D, over the last steps."""

    mse: dict[str, float]
    d: float
    reached: int


def figure7_problem(seed: int, steps: int) -> Ends:
    """All methods, on the same batches."""
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
    mse = {method: mean(rows, "mse") for method, rows in curves.items()}
    found = [number(row["discrepancy"]) for row in curves["online"]]
    reached = next((i + 1 for i, d in enumerate(found) if d <= 1e-3), steps + 1)
    return Ends(mse, mean(curves["online"], "discrepancy"), reached)


def mean(rows: list[Row], column: str) -> float:
    """Over the last steps."""
    return sum(number(row[column]) for row in rows[-LAST:]) / LAST
