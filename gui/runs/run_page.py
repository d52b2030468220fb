"""An overview of a run file, as rich text."""

from __future__ import annotations

import json

from gui import style
from gui.runs.runs_model import moment, outcome_colour
from labdiff.reports.labels import FIGURE_LABELS
from labdiff.reports.markup import Markup, element, joined, simulated_part, table
from labdiff.runs.reader import RunFile


def run_page(run: RunFile) -> str:
    """Return a run's outcome, figures, calibrations, options, bench file and versions."""
    parts = [
        element("h3", str(run.path)),
        element(
            "p",
            _coloured(run.outcome, outcome_colour(run.outcome)),
            f" \N{NO-BREAK SPACE} {run.reason}",
            element("br"),
            f"started {moment(run.start_time)}, seed {run.seed}",
        ),
    ]
    parts += simulated_part(run.simulated)
    if run.figures:
        parts += [element("h4", "Figures"), _table(_figures(run.figures))]
    if run.calibration:
        parts += [element("h4", "Calibrations"), _table(_verdicts(run))]
    parts += [element("h4", "Options"), _table(_options(run.options_json))]
    parts += [element("h4", "Bench file"), element("pre", run.bench_text)]
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    parts += [element("h4", "Recorded with"), element("p", versions)]
    return joined(parts)


def _figures(figures: dict[str, float]) -> list[list[str]]:
    known = [name for name in FIGURE_LABELS if name in figures]
    rows = []
    for name in known + sorted(set(figures) - set(known)):
        share = name.startswith("recognised")
        value = f"{figures[name]:.1%}" if share else f"{figures[name]:.4g}"
        rows.append([FIGURE_LABELS.get(name, name.replace("_", " ")), element("b", value)])
    return rows


def _verdicts(run: RunFile) -> list[list[str]]:
    chosen = style.theme()
    colours = {"pass": chosen.good, "warn": chosen.warn, "fail": chosen.bad}
    rows = []
    for name, found in sorted(run.calibration.items()):
        verdict = found.verdict
        text = f"{verdict.reason} {verdict.remedy}".strip()
        level = _coloured(verdict.level, colours.get(verdict.level, chosen.text))
        rows.append([name, level, text])
    return rows


def _options(text: str) -> list[list[str]]:
    try:
        options = json.loads(text)
    except json.JSONDecodeError:
        return [[text]]
    if not isinstance(options, dict):
        return [[text]]
    return [[str(name).replace("_", " "), _value(value)] for name, value in options.items()]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _table(rows: list[list[str]]) -> Markup:
    return table(rows, cellpadding="3", cellspacing="0")


def _coloured(word: str, colour: str) -> Markup:
    return element("b", word, style=f"color: {colour}")
