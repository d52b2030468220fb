"""Write a hologram into a folder: pattern, frames, figures, and a page that shows them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.holograms.figures import HologramFigures
from labdiff.holograms.result import HologramResult
from labdiff.holograms.target import within
from labdiff.reports.html_page import image, png_bytes, write_page
from labdiff.reports.markup import Markup, cell, element, simulated_part, table

PAGE = "report.html"
SIXTEEN_BITS = 65535


class HologramJson(TypedDict):
    """The content of hologram.json."""

    bench: str
    simulated: str
    seed: int
    target: str
    region: dict[str, int]
    outcome: str
    best_frame: int
    checked_frames: int
    twin_only: dict[str, float | None]
    predicted: dict[str, float | None]
    measured: dict[str, float | None]
    history: list[dict[str, object]]


def hologram_json(result: HologramResult, bench: str, seed: int, simulated: str) -> HologramJson:
    """Return a hologram's figures as plain values.

    Args:
        result: The hologram.
        bench: Name of the bench.
        seed: Of the start.
        simulated: What of the bench is simulated; "" if nothing is.
    """
    region = result.target.region
    return HologramJson(
        bench=bench,
        simulated=simulated,
        seed=seed,
        target=result.target.name,
        region={
            "top": region.top,
            "left": region.left,
            "height": region.height,
            "width": region.width,
        },
        outcome=result.outcome,
        best_frame=result.best_frame,
        checked_frames=result.checked_frames,
        twin_only=result.first.plain(),
        predicted=result.predicted_figures.plain(),
        measured=result.figures.plain(),
        history=[
            {
                "frame": record.frame,
                **record.figures.plain(),
                "objective": record.objective,
                "discrepancy": record.discrepancy,
                "refined": record.refined,
                "exposure_ms": record.exposure_ms,
            }
            for record in result.history
        ],
    )


def write_hologram(
    folder: Path, result: HologramResult, bench: str, seed: int, simulated: str
) -> Path:
    """Write a hologram into a folder and return its page.

    Args:
        folder: Is created.
        result: The hologram.
        bench: Name of the bench.
        seed: Of the start.
        simulated: What of the bench is simulated; "" if nothing is.

    Raises:
        UserError: If it cannot be written.
    """
    found = hologram_json(result, bench, seed, simulated)
    overview = png_bytes(overview_figure(result, f"{bench}: {result.target.name}", simulated))
    files = {
        "pattern.npy": _npy(result.pattern_rad),
        "pattern.png": _png(result.levels),
        "target.npy": _npy(result.target.image),
        "predicted.npy": _npy(result.predicted),
        "measured.npy": _npy(result.measured),
        "predicted.png": _grey_png(result.predicted, result),
        "measured.png": _grey_png(result.measured, result),
        "overview.png": overview,
        "hologram.json": (json.dumps(found, indent=2) + "\n").encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None
    parts = hologram_parts(result, simulated)
    return write_page(folder / PAGE, f"hologram of {result.target.name}", parts)


def hologram_parts(result: HologramResult, simulated: str) -> list[Markup]:
    """Return a hologram as pieces of HTML, for a page or a notebook.

    Args:
        result: The hologram.
        simulated: What of the bench is simulated; "" if nothing is.
    """
    checked = f"mean of {result.checked_frames} frames" if result.checked_frames else "one frame"
    note = (
        f"Best of {len(result.history)} frames: number {result.best_frame}. Its pattern, as measured: "
        f"{checked}."
    )
    if result.outcome == "stopped":
        note += " It was stopped before its end; this is the best until then."
    rows = [
        ("", "twin alone, measured", "best, predicted", "best, measured"),
        *(
            (label, *(cell(text, css="number") for text in texts))
            for label, texts in figure_rows(result)
        ),
    ]
    return [
        element("h1", f"Hologram of {result.target.name}"),
        *simulated_part(simulated),
        element("p", note, css="quiet"),
        table(rows),
        image(overview_figure(result, "", ""), "target, predicted and measured frame, error"),
    ]


def figure_rows(result: HologramResult) -> list[tuple[str, tuple[str, str, str]]]:
    """Return the figures as (label, texts): of the twin's pattern as measured, then of the best one."""
    all_three = (result.first, result.predicted_figures, result.figures)

    def row(label: str, texts: list[str]) -> tuple[str, tuple[str, str, str]]:
        return label, (texts[0], texts[1], texts[2])

    shown = [row("light in the region", [f"{each.efficiency:.1%}" for each in all_three])]
    if result.target.spots is None:
        shown.append(
            row("error in the region (NRMSE)", [f"{each.nrmse:.4f}" for each in all_three])
        )
        shown.append(row("PSNR in the region, dB", [f"{each.psnr_db:.1f}" for each in all_three]))
        return shown
    shown.append(row("light in the spots", [f"{each.in_spots:.1%}" for each in all_three]))
    shown.append(row("uniformity of the spots", [f"{each.uniformity:.3f}" for each in all_three]))
    return shown


def overview_figure(result: HologramResult, title: str, simulated: str) -> Figure:
    """Return target, predicted and measured frame, and how the error went from frame to frame.

    Args:
        result: The hologram.
        title: Of the figure; "" for none.
        simulated: What of the bench is simulated; "" if nothing is.
    """
    figure = Figure(figsize=(13.0, 3.6), layout="constrained")
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.25))
    target, region = result.target, result.target.region
    if title:
        figure.suptitle(f"{title}\n{simulated}" if simulated else title, fontsize=10)
    planes = (("target", target.image), ("twin", result.predicted), ("camera", result.measured))
    for ax, (name, plane) in zip(axes[:3], planes, strict=True):
        ax.imshow(_scaled(plane, result), cmap="inferno", vmin=0.0, vmax=1.0)
        left, top = region.left - 0.5, region.top - 0.5
        ax.plot(
            [left, left + region.width, left + region.width, left, left],
            [top, top, top + region.height, top + region.height, top],
            color="0.6",
            linewidth=0.7,
        )
        ax.set_title(name)
        ax.set_axis_off()
    curve, label = _curve(result)
    axes[3].plot(range(len(curve)), curve, "o-", markersize=3, label="each frame")
    axes[3].plot([result.best_frame], [curve[result.best_frame]], "o", color="C3", label="best")
    axes[3].set_xlabel("frame (0: the twin alone)")
    axes[3].set_title(label)
    axes[3].grid(alpha=0.3)
    axes[3].legend(fontsize=8)
    return figure


def _curve(result: HologramResult) -> tuple[list[float], str]:
    def value(figures: HologramFigures) -> float:
        if result.target.spots is None:
            return figures.psnr_db
        return figures.uniformity

    label = "PSNR in the region, dB" if result.target.spots is None else "uniformity of the spots"
    return [value(record.figures) for record in result.history], label


def _scaled(plane: npt.NDArray[np.floating], result: HologramResult) -> npt.NDArray[np.float64]:
    """Return a plane in the target's unit, cut off at 0 and 1: a picture's by the best scale."""
    seen = np.asarray(plane, np.float64)
    inside = within(result.target.region, seen)
    if result.target.spots is not None:
        return np.clip(seen / max(float(inside.max()), 1e-12), 0.0, 1.0)
    wanted = np.asarray(result.target.wanted, np.float64)
    scale = float((inside * wanted).sum()) / max(float((inside**2).sum()), 1e-12)
    return np.clip(scale * seen, 0.0, 1.0)


def _grey_png(plane: npt.NDArray[np.floating], result: HologramResult) -> bytes:
    return _png(np.rint(_scaled(plane, result) * SIXTEEN_BITS).astype(np.uint16))


def _png(levels: npt.NDArray[np.unsignedinteger]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(levels).save(content, "PNG")
    return content.getvalue()


def _npy(array: npt.NDArray[np.floating]) -> bytes:
    content = io.BytesIO()
    np.save(content, np.asarray(array, np.float32), allow_pickle=False)
    return content.getvalue()
