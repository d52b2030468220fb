"""A picture of images generated with the layers of a run, of a layer file, or with the pretrained ones."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from labdiff.assemble import open_bench
from labdiff.atomic import write_whole
from labdiff.calibrate import measure_routines
from labdiff.config import TrainingOptions, parse_bench
from labdiff.errors import UserError
from labdiff.generate import generate
from labdiff.interrupt import StopOnSignal
from labdiff.jobs import ExperimentJob, Request
from labdiff.layer_file import is_layer_file, pretrained_path, read_layers
from labdiff.page import png_bytes
from labdiff.progress import ProgressBar
from labdiff.prompts import prompts_for_class
from labdiff.runner import Job, run
from labdiff.session import Session

STRONGEST_GUIDANCE = 20.0


def generate_picture(
    path: Path | None,
    count: int,
    on_bench: bool,
    seed: int,
    out: Path,
    steps: int | None = None,
    label: int | None = None,
    guidance: float = 1.0,
) -> Path:
    """Write a PNG of `count` images; returns its path.

    path: a run file or a layer file; the pretrained layers if None. on_bench: else on the twin.
    steps: of the sampler, else as the file says. label: the class asked for, with the weight `guidance`.
    Raises UserError for a file that holds no layers or cannot be asked for the class, or for a PNG that
    cannot be written.
    """
    if not 0.0 <= guidance <= STRONGEST_GUIDANCE:
        raise UserError(f"--guidance {guidance:g}: allowed is 0 ... {STRONGEST_GUIDANCE:g}")
    if label is None and guidance != 1.0:
        raise UserError(f"--guidance {guidance:g}: weighs a prompt; ask for a class with --class")
    session = _opened(path or pretrained_path(), on_bench)
    try:
        prompts = None if label is None else prompts_for_class(session, label, count)
    except UserError:
        if session.laboratory is not None:
            session.laboratory.close()
        raise
    if steps is not None:
        session.options = session.options.model_copy(update={"sampler_steps": steps})
    with StopOnSignal() as stop, ProgressBar() as progress:
        job = _job(session, count, on_bench, seed, prompts, guidance)
        images = run(job, watch=[progress], should_stop=stop.requested)
    name = path.name if path is not None else "pretrained layers"
    figure = _grid(images, _title(name, session.options, on_bench, seed))
    try:
        write_whole(out, png_bytes(figure))
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror or error}") from None
    return out


def _opened(path: Path, on_bench: bool) -> Session:
    """A session with the file's layers. A layer file knows no bench: on the twin none is opened."""
    if not path.is_file():
        raise UserError(f"{path}: no such run file or layer file")
    if not is_layer_file(path):
        return ExperimentJob(Request(resume=path)).session
    torch.set_num_threads(min(torch.get_num_threads(), 2))
    layers = read_layers(path)
    config = parse_bench(layers.bench_text, str(path))
    session = Session.create(config, layers.options, None)
    layers.give_to(session)
    if on_bench:
        session.laboratory = open_bench(config, layers.options.seed)
    return session


def _job(
    session: Session,
    count: int,
    on_bench: bool,
    seed: int,
    prompts: torch.Tensor | None,
    guidance: float,
) -> Job[npt.NDArray[np.float32]]:
    """The bench, if there is one, is calibrated first; the twin needs no light."""
    bench = session.laboratory
    held: AbstractContextManager[object] = nullcontext()
    if bench is not None:
        held = bench if on_bench else closing(bench)
    with held:
        if on_bench:
            yield from measure_routines(session)
        where: Literal["twin", "bench"] = "bench" if on_bench else "twin"
        images = yield from generate(session, count, where, seed, prompts, guidance)
        return np.asarray(images.numpy())


def _title(name: str, options: TrainingOptions, on_bench: bool, seed: int) -> str:
    classes = f" {', '.join(map(str, options.classes))}" if options.classes else ""
    carries = "carry the image" if options.layers == "data" else "passive"
    place = "bench" if on_bench else "twin"
    return (
        f"{name}: {options.data}{classes}; layers {carries}, M = {options.layer_sets}\n"
        f"on the {place}; {options.sampler_words}; seed {seed}"
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
