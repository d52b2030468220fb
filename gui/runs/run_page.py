"""An overview of a run file, as rich text."""

from __future__ import annotations

import html
import json

from gui import style
from gui.runs.runs_model import moment, outcome_colour
from labdiff.reports.labels import FIGURE_LABELS
from labdiff.runs.reader import RunFile


def run_page(run: RunFile) -> str:
    """Return a run's outcome, figures, calibrations, options, bench file and versions."""
    parts = [
        f"<h3>{html.escape(str(run.path))}</h3>",
        f"<p>{_coloured(run.outcome, outcome_colour(run.outcome))} &nbsp; {html.escape(run.reason)}"
        f"<br>started {html.escape(moment(run.start_time))}, seed {run.seed}</p>",
    ]
    if run.figures:
        parts += ["<h4>Figures</h4>", _table(_figures(run.figures))]
    if run.calibration:
        parts += ["<h4>Calibrations</h4>", _table(_verdicts(run))]
    parts += ["<h4>Options</h4>", _table(_options(run.options_json))]
    parts += ["<h4>Bench file</h4>", f"<pre>{html.escape(run.bench_text)}</pre>"]
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    parts += ["<h4>Recorded with</h4>", f"<p>{html.escape(versions)}</p>"]
    return "".join(parts)


def _figures(figures: dict[str, float]) -> list[list[str]]:
    known = [name for name in FIGURE_LABELS if name in figures]
    rows = []
    for name in known + sorted(set(figures) - set(known)):
        share = name.startswith("recognised")
        value = f"{figures[name]:.1%}" if share else f"{figures[name]:.4g}"
        rows.append(
            [html.escape(FIGURE_LABELS.get(name, name.replace("_", " "))), f"<b>{value}</b>"]
        )
    return rows


def _verdicts(run: RunFile) -> list[list[str]]:
    chosen = style.theme()
    colours = {"pass": chosen.good, "warn": chosen.warn, "fail": chosen.bad}
    rows = []
    for name, found in sorted(run.calibration.items()):
        verdict = found.verdict
        text = f"{verdict.reason} {verdict.remedy}".strip()
        level = _coloured(verdict.level, colours.get(verdict.level, chosen.text))
        rows.append([html.escape(name), level, html.escape(text)])
    return rows


def _options(text: str) -> list[list[str]]:
    try:
        options = json.loads(text)
    except json.JSONDecodeError:
        return [[html.escape(text)]]
    if not isinstance(options, dict):
        return [[html.escape(text)]]
    return [
        [html.escape(str(name).replace("_", " ")), html.escape(_value(value))]
        for name, value in options.items()
    ]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _table(rows: list[list[str]]) -> str:
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table cellpadding='3' cellspacing='0'>{body}</table>"


def _coloured(word: str, colour: str) -> str:
    return f"<b style='color: {colour}'>{html.escape(word)}</b>"
