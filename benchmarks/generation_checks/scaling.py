"""Figures 5 and 6 at small scale: error against layers and pixels, and the power law of the parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmarks.claims import claim
from benchmarks.generation_checks.units import Units
from benchmarks.parts import Outcome, Scale
from labdiff.reproduce import figure5, figure6
from labdiff.reproduce.image_scores import ImageScorers
from labdiff.reproduce.result import Row, number
from labdiff.reproduce.scan import Point, ScanSettings

TINY = ScanSettings(
    data="digits",
    base=Point(40, 2, 2),
    sides=(20, 40),
    layers=(1, 2),
    layer_sets=(1, 2),
    budget=20,
    count=6,
    options={"image_size": 10, "sampler_steps": 3},
)
SMOKE = dataclasses.replace(TINY, budget=2, count=4)


def measure(units: Units) -> Outcome:
    """Make both figures: claims, the rows and their sentences; the pictures stay in the units' folder."""
    chosen: ScanSettings | None = None
    if units.setting.scale is not Scale.FULL:
        units.setting.leave_out("figures 5 and 6 at small scale: tiny units in their place")
        chosen = SMOKE if units.setting.smoke else TINY
    # The units of figure 5 are those of figure 6.
    fifth = units.do(figure5.job(units.context, chosen))
    fifth.write(units.folder, "figure5")
    sixth = units.do(figure6.job(units.context, chosen))
    sixth.write(units.folder, "figure6")
    claims = []
    for panel in ("side", "layers"):
        rows = [row for row in fifth.rows if row["panel"] == panel]
        errors = [number(row["noise_mse"]) for row in rows]
        claims.append(
            claim(f"figure 5: last noise MSE over first, {panel}", errors[-1] / errors[0], "<= 1")
        )
    column = ImageScorers.of(units.context).distance
    laws = figure6.power_laws(sixth.rows, column)
    for fitted, law in laws.items():
        claims.append(claim(f"figure 6: exponent of {column}, {fitted}", law.exponent, "<= 0"))
    single = [row for row in sixth.rows if row["layers"] == 1]
    law = laws["without the single layer"]
    over = max(number(row[column]) / law(number(row["parameters"])) for row in single)
    claims.append(claim("figure 6: single layer over the law of the others", over, ">= 1.2"))
    figures = {
        "figure5": fifth.sentence,
        "figure6": sixth.sentence,
        "rows": _plain(fifth.rows),
    }
    return Outcome(claims, figures)


def _plain(rows: list[Row]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]
