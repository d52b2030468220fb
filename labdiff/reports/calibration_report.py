"""Report all calibrations of a bench as one HTML page: verdicts, figures, history, provenance."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive, Stored
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.config.bench import BenchConfig
from labdiff.reports.calibration_figures import history, quantities
from labdiff.reports.html_page import image, tag, write_page

PAGE = "report.html"
"""File name of the page in the archive's folder."""


def write_calibration_report(archive: CalibrationArchive, bench: BenchConfig) -> Path:
    """Write the page into the archive's folder and return its path. Raises UserError if it cannot."""
    past = {name: archive.history(name) for name in ROUTINE_NAMES}
    parts = [
        f"<h1>Calibration of {html.escape(bench.name)}</h1>",
        "<p class='quiet'>The newest result of each routine; "
        "failed ones are stored for inspection and not used.</p>",
        _overview(past),
    ]
    for name, stored in past.items():
        if stored:
            parts += _section(name, stored, bench.cavity.patch_shape)
    return write_page(archive.folder / PAGE, f"calibration of {bench.name}", parts)


def calibration_parts(archive: CalibrationArchive, bench: BenchConfig) -> list[str]:
    """Return the verdicts and the figures of the newest results, as pieces of HTML for a notebook."""
    past = {name: archive.history(name) for name in ROUTINE_NAMES}
    parts = [_overview(past)]
    for name, stored in past.items():
        drawn = stored[-1].result.figure(bench.cavity.patch_shape) if stored else None
        if drawn is not None:
            parts.append(f"<h3>{name.capitalize()}</h3>{image(drawn, name)}")
    return parts


def _overview(past: dict[str, list[Stored]]) -> str:
    rows = []
    for name, stored in past.items():
        if not stored:
            rows.append(
                f"<tr><td>{name}</td><td></td><td class='quiet'>never measured</td><td></td></tr>"
            )
            continue
        verdict, about = stored[-1].result.verdict, stored[-1].provenance
        rows.append(
            f"<tr><td>{name}</td><td>{tag(verdict.level)}</td>"
            f"<td>{html.escape(verdict.reason)} <b>{html.escape(verdict.remedy)}</b></td>"
            f"<td class='quiet time'>{_moment(about.taken_utc)}</td></tr>"
        )
    return "<table>" + "".join(rows) + "</table>"


def _section(name: str, stored: list[Stored], patch_shape: tuple[int, int]) -> list[str]:
    newest = stored[-1]
    parts = [f"<h2>{name.capitalize()}</h2>", _numbers(newest)]
    drawn = newest.result.figure(patch_shape)
    if drawn is not None:
        parts.append(image(drawn, name))
    if isinstance(newest.result, AlignmentFound):
        parts.append(_parameters(newest.result))
    over_time = history(stored)
    if over_time is not None:
        parts.append(
            f"<h3>Over {len(stored)} calibrations</h3>{image(over_time, f'history of {name}')}"
        )
    parts.append(_provenance(newest))
    return parts


def _numbers(stored: Stored) -> str:
    rows = []
    for name, (value, sigma) in quantities(stored.result).items():
        if name in getattr(stored.result, "names", ()):
            continue  # in the table of parameters
        spread = f"&plusmn; {sigma:.2g}" if np.isfinite(sigma) else ""
        rows.append(f"<tr><td>{name}</td><td class='number'>{value:.5g}</td><td>{spread}</td></tr>")
    return "<table>" + "".join(rows) + "</table>"


def _parameters(found: AlignmentFound) -> str:
    rows = [
        f"<tr><td>{name}</td><td class='number'>{value:.4f}</td><td>&plusmn; {sigma:.4f}</td>"
        f"<td class='quiet'>{share:.0%}</td></tr>"
        for name, value, sigma, share in zip(
            found.names, found.value, found.sigma, found.told, strict=True
        )
    ]
    return (
        "<details><summary>All parameters of the twin: value, standard deviation, share that the "
        f"frames and not the prior determine</summary><table>{''.join(rows)}</table></details>"
    )


def _provenance(stored: Stored) -> str:
    about = stored.provenance
    lines = {
        "id": stored.id,
        "taken": _moment(about.taken_utc),
        "frames": f"{about.frames}, in {about.seconds:.1f} s"
        + (f", {about.resumed_frames} of them before a crash" if about.resumed_frames else ""),
        "rests on": ", ".join(about.parents.values()),
        "devices": ", ".join(about.devices.values()),
        "settings": ", ".join(f"{name} {value:g}" for name, value in about.settings.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in about.versions.items()),
        "bench file, SHA-256": about.bench_sha256[:16],
    }
    rows = "".join(
        f"<tr><td>{key}</td><td>{html.escape(value)}</td></tr>"
        for key, value in lines.items()
        if value
    )
    return f"<details><summary>Where it comes from</summary><table>{rows}</table></details>"


def _moment(taken_utc: str) -> str:
    return f"{taken_utc[:19].replace('T', ' ')} UTC"
