"""Report an evaluation as tables, JSON, CSV and figures."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path
from typing import TypedDict

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from torch import Tensor

from labdiff.atomic_write import write_atomically
from labdiff.errors import UserError
from labdiff.jobs.evaluation_job import Evaluation
from labdiff.metrics.images import ImageMetrics
from labdiff.metrics.range_error import MeanError, RangeError
from labdiff.reports.html_page import image, png_bytes
from labdiff.reports.markup import Markup, element, simulated_part, table

PREDICTOR_LABELS = {
    "odu": "ODU",
    "identity": "identity",
    "wiener": "Wiener, a map per 100 t",
    "wiener_each_t": "Wiener, each t",
}
"""Labels of the predictors whose errors are compared, by name."""
SHOWN = 64
"""Number of images in the picture of an evaluation."""


class EvaluationFigures(TypedDict):
    """An evaluation as plain values: the content of evaluation.json."""

    run: str
    where: str
    simulated: str
    device: str
    count: int
    seed: int
    prediction: str
    sampler: str
    data: str
    errors: list[dict[str, object]]
    mean_errors: dict[str, dict[str, float]]
    images: list[dict[str, object]]
    light_off: list[dict[str, object]]
    classifier_accuracy: float
    classifier_task: str


def evaluation_figures(evaluation: Evaluation) -> EvaluationFigures:
    """Return the whole evaluation as plain values: the content of evaluation.json."""
    request, classifier = evaluation.request, evaluation.classifier
    return {
        "run": str(request.run_file),
        "where": request.where,
        "simulated": evaluation.simulated,
        "device": evaluation.device,
        "count": request.count,
        "seed": request.seed,
        "prediction": evaluation.prediction,
        "sampler": evaluation.sampler,
        "data": evaluation.data,
        "errors": error_rows(evaluation.errors),
        "mean_errors": {
            name: {"noise_mse": _mean(errors, "noise_mse"), "clean_mse": _mean(errors, "clean_mse")}
            for name, errors in evaluation.errors.items()
        },
        "images": [metrics.as_dict() for metrics in evaluation.metrics],
        "light_off": [metrics.as_dict() for metrics in evaluation.light_off],
        "classifier_accuracy": classifier.accuracy,
        "classifier_task": classifier.task,
    }


def error_rows(errors: dict[str, tuple[RangeError, ...]]) -> list[dict[str, object]]:
    """Return a row for each predictor and timestep range: errors and their standard errors (se)."""
    return [
        {
            "predictor": name,
            "first_t": error.first_t,
            "end_t": error.end_t,
            "count": error.count,
            "noise_mse": error.noise_mse.value if error.noise_mse else None,
            "noise_mse_se": error.noise_mse.standard_error if error.noise_mse else None,
            "clean_mse": error.clean_mse.value,
            "clean_mse_se": error.clean_mse.standard_error,
        }
        for name, ranges in errors.items()
        for error in ranges
    ]


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write evaluation.json, errors.csv, errors.png, images.png into an existing folder.

    Each file is written atomically. Raises UserError if they cannot be written.
    """
    text = io.StringIO()
    rows = [{**row, "simulated": evaluation.simulated} for row in error_rows(evaluation.errors)]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    figures = json.dumps(evaluation_figures(evaluation), indent=2)
    files = {
        "evaluation.json": figures.encode(),
        "errors.csv": text.getvalue().encode(),
        "errors.png": png_bytes(error_figure(evaluation.errors, evaluation.simulated), 130),
        "images.png": png_bytes(image_figure(evaluation), 130),
    }
    try:
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None


def error_figure(errors: dict[str, tuple[RangeError, ...]], simulated: str = "") -> Figure:
    """Return a figure of both errors against t, on a logarithmic scale, with standard errors.

    Args:
        errors: by name of the predictor.
        simulated: what of the bench is, in one sentence.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    if simulated:
        figure.suptitle(simulated, fontsize=9)
    for ax, kind, title in zip(
        figure.subplots(1, 2),
        ("noise_mse", "clean_mse"),
        ("predicted noise, t from 100", "clean image, all t"),
        strict=True,
    ):
        for name, ranges in errors.items():
            points = [(e, getattr(e, kind)) for e in ranges if getattr(e, kind) is not None]
            ax.errorbar(
                [(e.first_t + e.end_t) / 2 for e, _ in points],
                [mean.value for _, mean in points],
                [mean.standard_error for _, mean in points],
                marker="o",
                markersize=3,
                label=PREDICTOR_LABELS.get(name, name),
            )
        ax.set(yscale="log", xlabel="timestep t", ylabel="mean squared error", title=title)
        ax.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    return figure


def image_figure(evaluation: Evaluation) -> Figure:
    """Return a figure of generated images, the first ones and not the best, beside real ones."""
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    if evaluation.simulated:
        figure.suptitle(evaluation.simulated, fontsize=9)
    generated = f"generated on the {evaluation.request.where}"
    for ax, images, title in zip(
        figure.subplots(1, 2),
        (evaluation.generated, evaluation.real),
        (generated, "real, held out"),
        strict=True,
    ):
        ax.imshow(_mosaic(images[:SHOWN]), cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        ax.set_title(title)
        ax.set_axis_off()
    return figure


def evaluation_parts(evaluation: Evaluation) -> list[Markup]:
    """Return an evaluation as pieces of HTML, for a notebook: mean errors, distances, figures."""
    request = evaluation.request
    errors = [("mean error", "noise", "clean image")]
    errors += [
        (
            PREDICTOR_LABELS.get(name, name),
            f"{_mean(found, 'noise_mse'):.4g}",
            f"{_mean(found, 'clean_mse'):.4g}",
        )
        for name, found in evaluation.errors.items()
    ]
    distances = [("image figure", "generated", "95 %", "light off", "real")]
    distances += [
        (
            figure.name,
            f"{figure.value:.4g}",
            f"{figure.low:.4g} ... {figure.high:.4g}",
            _without_light(evaluation, metrics, figure.name),
            f"{figure.real:.4g}",
        )
        for metrics in evaluation.metrics
        for figure in metrics.figures
    ]
    about = f"{request.run_file}, on the {request.where}, {evaluation.data}; {evaluation.sampler}"
    return [
        element("p", about, css="quiet"),
        *simulated_part(evaluation.simulated),
        table(errors),
        image(error_figure(evaluation.errors, evaluation.simulated), "errors over the timesteps"),
        table(distances),
        image(image_figure(evaluation), "generated and real images"),
    ]


def print_evaluation(evaluation: Evaluation) -> None:
    """Print an evaluation as tables on stdout."""
    console = Console(
        width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "120")),
        highlight=False,
    )
    request = evaluation.request
    if evaluation.simulated:
        console.print(evaluation.simulated, markup=False)
    count = next(iter(evaluation.errors.values()))[0].count
    for kind, title in (("noise_mse", "Noise MSE"), ("clean_mse", "Clean-image MSE")):
        console.print(
            f"{title} on the {request.where}, {count} held-out images a range, seed {request.seed}, "
            f"prediction {evaluation.prediction}"
        )
        shown = Table("t")
        for name in evaluation.errors:
            shown.add_column(PREDICTOR_LABELS.get(name, name), justify="right")
        for row in zip(*evaluation.errors.values(), strict=True):
            if getattr(row[0], kind) is not None:
                cells = (_with_error(getattr(error, kind)) for error in row)
                shown.add_row(f"{row[0].first_t} ... {row[0].end_t - 1}", *cells)
        means = (f"{_mean(errors, kind):.4g}" for errors in evaluation.errors.values())
        shown.add_row("mean", *means)
        console.print(shown)
    for metrics in evaluation.metrics:
        console.print(
            f"Images generated on the {request.where}: {metrics.count} beside as many real ones, "
            f"{evaluation.sampler}, seed {metrics.seed}\n{metrics.features}: {metrics.preparation}"
        )
        shown = Table("figure")
        shown.add_column("value", justify="right")
        shown.add_column(f"95 % of {metrics.resamples} resamples", justify="right")
        shown.add_column("light off", justify="right")
        shown.add_column(f"real images, {metrics.real_count}", justify="right")
        for figure in metrics.figures:
            shown.add_row(
                figure.name,
                f"{figure.value:.4g}",
                f"{figure.low:.4g} ... {figure.high:.4g}",
                _without_light(evaluation, metrics, figure.name),
                f"{figure.real:.4g}",
            )
        console.print(shown)
    classifier = evaluation.classifier
    console.print(
        f"The classifier tells apart {classifier.task}: "
        f"{classifier.accuracy:.1%} right on held-out real images."
    )


def _without_light(evaluation: Evaluation, metrics: ImageMetrics, name: str) -> str:
    found = evaluation.without_light(metrics, name)
    return "" if found is None else f"{found.value:.4g}"


def _with_error(mean: MeanError) -> str:
    return f"{mean.value:.3g} ± {mean.standard_error:.1g}"


def _mean(errors: tuple[RangeError, ...], kind: str) -> float:
    """Return the mean over the timestep ranges that have this error."""
    found = [getattr(error, kind) for error in errors]
    return float(np.mean([mean.value for mean in found if mean is not None]))


def _mosaic(images: Tensor) -> np.ndarray:
    count, height, width = images.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    tiles = np.full((rows * columns, height + 1, width + 1), -1.0, np.float32)
    tiles[:count, :height, :width] = images.numpy()
    tiled = tiles.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return tiled.reshape(rows * (height + 1), columns * (width + 1))
