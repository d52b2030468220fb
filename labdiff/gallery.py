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
from labdiff.runner import Job, run


def generate_from_run(
    path: Path, count: int, where: Literal["twin", "bench"], seed: int, out: Path
) -> Path:
    """Write a PNG of `count` images. Raises UserError if the run has no layers."""
    session = ExperimentJob(Request(resume=path)).session

    def job() -> Job[np.ndarray]:
        # The twin needs no light: then the bench is closed without the laser ever being on.
        with session.bench if where == "bench" else closing(session.bench):
            if where == "bench":
                yield from measure_routines(session)
            images = yield from generate(session, count, where, seed)
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
