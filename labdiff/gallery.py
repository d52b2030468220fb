"""A picture of images generated with the layers of a recorded run."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from labdiff.calibrate import measure_routines
from labdiff.errors import UserError
from labdiff.generate import generate
from labdiff.jobs import ExperimentJob, Request
from labdiff.progress import ProgressBar
from labdiff.prompts import prompts_for_class
from labdiff.runner import Job, run

STRONGEST_GUIDANCE = 20.0


def generate_from_run(
    path: Path,
    count: int,
    where: Literal["twin", "bench"],
    seed: int,
    out: Path,
    label: int | None = None,
    guidance: float = 1.0,
) -> Path:
    """Write a PNG of `count` images.

    label: the class asked for, with the weight `guidance`. Raises UserError if the run has no layers, or
    cannot be asked for the class.
    """
    if not 0.0 <= guidance <= STRONGEST_GUIDANCE:
        raise UserError(f"--guidance {guidance:g}: allowed is 0 ... {STRONGEST_GUIDANCE:g}")
    if label is None and guidance != 1.0:
        raise UserError(f"--guidance {guidance:g}: weighs a prompt; ask for a class with --class")
    session = ExperimentJob(Request(resume=path)).session
    try:
        prompts = None if label is None else prompts_for_class(session, label, count)
    except UserError:
        session.bench.close()
        raise

    def job() -> Job[np.ndarray]:
        # The twin needs no light: then the bench is closed without the laser ever being on.
        with session.bench if where == "bench" else closing(session.bench):
            if where == "bench":
                yield from measure_routines(session)
            images = yield from generate(session, count, where, seed, prompts, guidance)
            return images.numpy()

    with ProgressBar() as progress:
        images = run(job(), watch=[progress])
    columns = min(count, 8)
    rows = -(-count // columns)
    figure = Figure(figsize=(columns, rows), layout="constrained")
    for ax, picture in zip(
        figure.subplots(rows, columns, squeeze=False).ravel(), images, strict=False
    ):
        ax.imshow(picture, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    for ax in figure.axes:
        ax.set_axis_off()
    try:
        figure.savefig(out, dpi=110)
    except (OSError, ValueError) as error:
        raise UserError(f"{out}: cannot be written: {error}") from None
    return out
