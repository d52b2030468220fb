"""A picture of generated images, made with the layers of a run, of a layer file, or the pretrained ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from labdiff.atomic_write import write_atomically
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.job import run
from labdiff.jobs.generation_job import GenerationJob
from labdiff.jobs.stop_signal import StopOnSignal
from labdiff.reports.html_page import png_bytes
from labdiff.reports.progress_bar import ProgressBar

FEW = 32
"""Number of images up to which one thread is as fast as two."""


def generate_picture(request: GenerationRequest, out: Path) -> Path:
    """Generate images, write them as a PNG file and return its path.

    Raises:
        UserError: If a file contains no layers, or none that were trained with the class; or if the PNG
            cannot be written.
    """
    prepared = GenerationJob(request)
    with StopOnSignal() as stop, ProgressBar() as progress, _threads_for(request.count):
        images = run(prepared.job(), watch=[progress], should_stop=stop.requested)
    figure = _grid(images, _title(request, prepared.options))
    try:
        write_atomically(out, png_bytes(figure))
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror or error}") from None
    return out


@contextmanager
def _threads_for(count: int) -> Iterator[None]:
    """Use one thread for few images: a second one gains nothing, and beside other work each step waits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if count <= FEW else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _title(request: GenerationRequest, options: TrainingOptions) -> str:
    name = request.path.name if request.path is not None else "pretrained layers"
    classes = f" {', '.join(map(str, options.classes))}" if options.classes else ""
    carries = "carry the image" if options.layers == "data" else "passive"
    return (
        f"{name}: {options.data}{classes}; layers {carries}, M = {options.layer_sets}\n"
        f"on the {request.where}; {options.sampler_description}; seed {request.seed}"
    )


def _grid(images: npt.NDArray[np.float32], title: str) -> Figure:
    columns = min(len(images), 8)
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(max(columns, 5), rows + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=9)
    for ax, picture in zip(
        figure.subplots(rows, columns, squeeze=False).ravel(), images, strict=False
    ):
        ax.imshow(picture, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    for ax in figure.axes:
        ax.set_axis_off()
    return figure
