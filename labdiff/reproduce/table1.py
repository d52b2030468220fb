"""Table 1: the cost of an image, of the ODU and of digital denoisers (paper, sections 4.2 and A.2)."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labdiff.bench.open import open_bench
from labdiff.config.bench import load_bench
from labdiff.events import JobStarted, StageStarted
from labdiff.job import Job
from labdiff.reproduce.context import Context
from labdiff.reproduce.digital_denoisers.architectures import ARCHITECTURES, build_denoiser
from labdiff.reproduce.efficiency import (
    IMAGE_SIDE,
    L4_POWER_W,
    PRINTED_DENOISERS,
    Efficiency,
    agreement,
    declared_odu,
    modelled_odu,
    paper_rows,
)
from labdiff.reproduce.measured_efficiency import measured_denoiser, simulated_odu
from labdiff.reproduce.result import Result, number

BATCH = 16
"""Number of images in a step that is timed."""
MARKERS = {"modelled": "o", "measured here": "o", "paper": "x"}
"""Markers of the kinds of rows."""


def job(context: Context) -> Job[Result]:
    """Model rows, measure rows on this computer, and add the paper's own."""
    yield JobStarted("table1", len(context.benches) + len(ARCHITECTURES))
    rows = modelled_odu()
    simulated = []
    for name in context.benches:
        yield StageStarted(f"bench {name}", 1)
        config = load_bench(name)
        with open_bench(config, context.seed) as bench:
            rows.append(declared_odu(config, bench))
            if config.camera.driver == "mock":
                simulated.append(simulated_odu(config, bench, context.choose(8, 64)))
    rows += simulated
    for architecture in ARCHITECTURES:
        yield StageStarted(f"timing, {architecture}", 1)
        net = build_denoiser(architecture, (IMAGE_SIDE, IMAGE_SIDE), context.seed)
        rows.append(measured_denoiser(net, BATCH, context.choose(5, 25), context.watts))
    rows += paper_rows()
    return Result(picture(rows), [row.columns() for row in rows], sentence(rows))


def picture(rows: list[Efficiency]) -> Figure:
    """Draw energy against images a second; hollow: modelled, filled: measured, cross: the paper's.

    A row without an energy stands on the lower edge, one without a rate is not drawn.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    ax = figure.subplots()
    ax.set_xscale("log")
    ax.set_yscale("log")
    rates = [row.images_per_s for row in rows if row.images_per_s is not None]
    energies = [row.energy_j for row in rows if row.energy_j is not None]
    ax.set_xlim(min(rates) / 2.0, max(rates) * 20.0)
    # Room below for rows without an energy, and for their names.
    ax.set_ylim(min(energies) / 300.0, max(energies) * 3.0)
    names = list(dict.fromkeys(row.system for row in rows))
    for row in rows:
        if row.images_per_s is not None:
            _draw(ax, row, row.images_per_s, f"C{names.index(row.system)}")
    for kind, marker in MARKERS.items():
        fill = "k" if kind == "measured here" else "none"
        ax.plot([], [], marker, color="k", markerfacecolor=fill, ms=9, label=kind)
    ax.legend(loc="lower right", title="on the lower edge: energy not known", fontsize=9)
    ax.set_xlabel("images a second, 1,000 denoising steps each")
    ax.set_ylabel("energy an image, J")
    ax.grid(True, which="major", alpha=0.3)
    return figure


def _draw(ax: Axes, row: Efficiency, rate: float, colour: str) -> None:
    known = row.energy_j is not None
    place = (rate, 0.03 if row.energy_j is None else row.energy_j)
    transform = ax.transData if known else ax.get_xaxis_transform()
    ax.plot(
        place[:1],
        place[1:],
        MARKERS[row.kind],
        color=colour,
        markerfacecolor=colour if row.kind == "measured here" else "none",
        transform=transform,
        ms=9,
    )
    left = row.kind == "paper"  # so that the names of coinciding points do not overlap
    ax.annotate(
        row.system,
        place,
        xycoords=transform,
        xytext=((-9 if left else 9), -3) if known else (0, 9),
        textcoords="offset points",
        ha=("right" if left else "left") if known else "center",
        rotation=0 if known else 90,
        color=colour,
        fontsize=8,
    )


def sentence(rows: list[Efficiency]) -> str:
    """Compare our rows with the paper's."""
    modelled = {row.system: row for row in rows if row.kind == "modelled"}
    odu, one_to_one = modelled["ODU"], modelled["ODU, one-to-one pixels"]
    rate, energy_j = number(odu.images_per_s), number(odu.energy_j)
    one_to_one_j = number(one_to_one.energy_j)
    parts = [
        f"Modelled from the device figures, the ODU gives {rate:.1f} images/s "
        f"(paper 23.0: {agreement(rate, 23.0)}) at {energy_j:.2f} J an image "
        f"(paper 0.23 J: {agreement(energy_j, 0.23)}), and {1e3 * one_to_one_j:.1f} mJ "
        f"with one-to-one pixels (paper about 15 mJ: {agreement(one_to_one_j, 0.015)});"
    ]
    for name in ARCHITECTURES:
        rate, printed_j = PRINTED_DENOISERS[name]
        energy_j = L4_POWER_W / rate
        parts.append(
            f"72 W over {rate} images/s of the {name} is {energy_j:.2f} J "
            f"(paper {printed_j} J: {agreement(energy_j, printed_j)});"
        )
    here = [f"{row.system} {row.images_per_s:.3g}" for row in rows if row.kind == "measured here"]
    declared = [
        f"{name.removeprefix('ODU, ')} {row.images_per_s:.3g}"
        for name, row in modelled.items()
        if name.startswith("ODU, bench")
    ]
    parts.append(f"images/s by the declared timing of benches: {', '.join(declared)};")
    parts.append(f"images/s measured on this computer: {', '.join(here)}.")
    return " ".join(parts)
