"""A picture of generated images, made with the layers of a run, of a layer file, or the pretrained ones."""

from __future__ import annotations

from pathlib import Path

from labdiff.atomic_write import write_atomically
from labdiff.config.simulated import simulated_devices
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.generation.threads import threads_for
from labdiff.job import run
from labdiff.jobs.generation_job import GenerationJob
from labdiff.jobs.stop_signal import StopOnSignal
from labdiff.reports.html_page import png_bytes
from labdiff.reports.image_grid import image_grid
from labdiff.reports.progress_bar import ProgressBar


def generate_picture(request: GenerationRequest, out: Path) -> Path:
    """Generate images, write them as a PNG file and return its path.

    Raises:
        UserError: If a file contains no layers, or none that were trained with the class; or if the PNG
            cannot be written.
    """
    prepared = GenerationJob(request)
    with StopOnSignal() as stop, ProgressBar() as progress, threads_for(request.count):
        images = run(prepared.job(), watch=[progress], should_stop=stop.requested)
    simulated = simulated_devices(prepared.denoiser.calibrated.config)
    title = _title(request, prepared.options)
    figure = image_grid(images, f"{title}\n{simulated}" if simulated else title)
    if simulated:
        print(simulated)
    try:
        write_atomically(out, png_bytes(figure))
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror or error}") from None
    return out


def _title(request: GenerationRequest, options: TrainingOptions) -> str:
    name = request.path.name if request.path is not None else "pretrained layers"
    classes = f" {', '.join(map(str, options.classes))}" if options.classes else ""
    carries = "carry the image" if options.layers == "data" else "passive"
    return (
        f"{name}: {options.data}{classes}; layers {carries}, M = {options.layer_sets}\n"
        f"on the {request.where}; {options.sampler_description}; seed {request.seed}"
    )
