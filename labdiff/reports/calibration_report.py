"""Report all calibrations of a bench as one HTML page: verdicts, figures, history, provenance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.alignment_found import AlignmentFound
from calibration.archive import CalibrationArchive, Stored
from calibration.provenance import Provenance
from calibration.result import Verdict
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.config.bench import BenchConfig
from labdiff.config.simulated import BEGINNING, simulated_devices
from labdiff.reports.calibration_figures import history, quantities
from labdiff.reports.html_page import image, write_page
from labdiff.reports.markup import (
    Markup,
    cell,
    details,
    element,
    joined,
    simulated_part,
    table,
    tag,
)

PAGE = "report.html"
"""File name of the page in the archive's folder."""
ASSERTED = (
    "Frames tell wavelength x gap / pitch\u00b2 and angle x pitch / wavelength, never gap and angles "
    "alone: their deviations contain those of wavelength and pitch in the bench file."
)


def write_calibration_report(archive: CalibrationArchive, bench: BenchConfig) -> Path:
    """Write the page into the archive's folder and return its path. Raises UserError if it cannot."""
    past = {name: archive.history(name) for name in ROUTINE_NAMES}
    parts = [
        element("h1", f"Calibration of {bench.name}"),
        element(
            "p",
            "The newest result of each routine; failed ones are stored for inspection and not used.",
            css="quiet",
        ),
        *simulated_part(simulated_devices(bench)),
        _overview(past, archive),
    ]
    for name, stored in past.items():
        if stored:
            parts += _section(name, stored, bench.cavity.patch_shape)
    return write_page(archive.folder / PAGE, f"calibration of {bench.name}", parts)


def calibration_parts(archive: CalibrationArchive, bench: BenchConfig) -> list[Markup]:
    """Return the verdicts and the figures of the newest results, as pieces of HTML for a notebook."""
    past = {name: archive.history(name) for name in ROUTINE_NAMES}
    parts = [*simulated_part(simulated_devices(bench)), _overview(past, archive)]
    for name, stored in past.items():
        drawn = stored[-1].result.figure(bench.cavity.patch_shape) if stored else None
        if drawn is not None:
            parts += [element("h3", name.capitalize()), image(drawn, name)]
    return parts


def _overview(past: dict[str, list[Stored]], archive: CalibrationArchive) -> Markup:
    """Return the newest verdict of each routine; those of scripts are the last."""
    rows: list[tuple[str, ...]] = []
    for name, stored in past.items():
        if not stored:
            rows.append((name, "", cell("never measured", css="quiet"), ""))
            continue
        rows.append(_row(name, stored[-1].result.verdict, stored[-1].provenance))
    for name, own in archive.newest_of_others(ROUTINE_NAMES).items():
        rows.append(_row(f"{name} (of a script)", own.verdict, own.provenance))
    return table(rows)


def _row(name: str, verdict: Verdict, about: Provenance) -> tuple[str, ...]:
    reason = joined([verdict.reason, " ", element("b", verdict.remedy)])
    when = cell(_moment(about.taken_utc), css="quiet time")
    return name, tag(verdict.level), reason, when


def _section(name: str, stored: list[Stored], patch_shape: tuple[int, int]) -> list[Markup]:
    newest = stored[-1]
    parts = [element("h2", name.capitalize()), _numbers(newest)]
    drawn = newest.result.figure(patch_shape)
    if drawn is not None:
        parts.append(image(drawn, name))
    if isinstance(newest.result, AlignmentFound):
        parts.append(_parameters(newest.result))
    over_time = history(stored)
    if over_time is not None:
        parts.append(element("h3", f"Over {len(stored)} calibrations"))
        parts.append(image(over_time, f"history of {name}"))
    parts.append(_provenance(newest))
    return parts


def _numbers(stored: Stored) -> Markup:
    rows = []
    for name, (value, sigma) in quantities(stored.result).items():
        if name in getattr(stored.result, "names", ()):
            continue  # in the table of parameters
        spread = f"± {sigma:.2g}" if np.isfinite(sigma) else ""
        rows.append((name, cell(f"{value:.5g}", css="number"), spread))
    return table(rows)


def _parameters(found: AlignmentFound) -> Markup:
    rows = [
        (
            name,
            cell(f"{value:.4f}", css="number"),
            f"± {sigma:.4f}",
            cell(f"{share:.0%}", css="quiet"),
        )
        for name, value, sigma, share in zip(
            found.names, found.value, found.sigma, found.told, strict=True
        )
    ]
    summary = (
        "All parameters of the twin: value, standard deviation, share that the frames and not the "
        "prior determine"
    )
    return details(summary, element("p", ASSERTED, css="quiet"), table(rows))


def _provenance(stored: Stored) -> Markup:
    about = stored.provenance
    lines = {
        "id": stored.id,
        "taken": _moment(about.taken_utc),
        "frames": f"{about.frames}, in {about.seconds:.1f} s"
        + (f", {about.resumed_frames} of them before a crash" if about.resumed_frames else ""),
        "rests on": ", ".join(about.parents.values()),
        "devices": ", ".join(about.devices.values()),
        "simulated": about.simulated.removeprefix(BEGINNING),
        "settings": ", ".join(f"{name} {value:g}" for name, value in about.settings.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in about.versions.items()),
        "bench file, SHA-256": about.bench_sha256[:16],
    }
    return details("Where it comes from", table(item for item in lines.items() if item[1]))


def _moment(taken_utc: str) -> str:
    return f"{taken_utc[:19].replace('T', ' ')} UTC"
