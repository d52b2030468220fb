"""Generate images from a notebook or a script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labdiff.api.opening import borrowed, origin_of
from labdiff.api.progress import Progress, run_job
from labdiff.api.run import RUN_FILE, Run
from labdiff.bench.bench import Bench
from labdiff.config.option import Value
from labdiff.errors import UserError
from labdiff.generation.request import GenerationRequest
from labdiff.generation.threads import threads_for
from labdiff.jobs.generation_job import GenerationJob
from labdiff.session.layer_file import PRETRAINED, check_bench

MOST_SHOWN = 64
"""Most images that a notebook shows of an array."""
TWIN = "twin"


class Images(np.ndarray[tuple[int, ...], np.dtype[np.float32]]):
    """An array of images (count, H, W) in -1 ... 1, which a notebook shows as a grid.

    Example:
        >>> images = labdiff.generate(count=16)
        >>> images.shape
        (16, 10, 10)
    """

    def _repr_html_(self) -> str | None:
        """Return a grid of the images, for a notebook; None for what is no longer an array of images."""
        if self.ndim not in (2, 3) or not self.size:
            return None
        from labdiff.reports.html_page import fragment, image
        from labdiff.reports.image_grid import image_grid

        images = np.asarray(self, np.float32).reshape(-1, *self.shape[-2:])
        title = f"{min(len(images), MOST_SHOWN)} of {len(images)} images"
        return fragment([image(image_grid(images[:MOST_SHOWN]), title)])


def generate(
    run: Run | str | Path | None = None,
    count: int = 16,
    *,
    on: Bench | str | Path = TWIN,
    seed: int = 0,
    label: int | None = None,
    guidance: float = 1.0,
    sampler: Mapping[str, Value] | None = None,
    progress: Progress = False,
) -> Images:
    """Generate images out of noise with trained layers.

    Args:
        run: A run, a run file, a layer file, or None (or "pretrained") for the layers that are shipped.
        count: Number of images.
        on: "twin", or the bench that generates them: an open one, or what `open_bench` takes.
        seed: Of the noise.
        label: Class to ask for, of layers trained with prompts; None for any.
        guidance: Weight of the class; other than 1, two passes of light an image and step.
        sampler: Options of the reverse process that differ from the training's, such as
            {"sampler_steps": 20}; they are those of `labdiff.config.training.SamplerOptions`.
        progress: True for a progress bar, or a function that is called with each event.

    Returns:
        The images, (count, H, W) in -1 ... 1.

    Raises:
        UserError: If there are no such layers, the class cannot be asked for, or the bench does not fit.
        JobStoppedError: If Ctrl-C stopped it.

    Example:
        >>> images = labdiff.generate("runs/a", count=8, sampler={"sampler_steps": 20})
        >>> images.shape
        (8, 10, 10)
    """
    if count < 1:
        raise UserError(f"count = {count}: allowed is 1 or more")
    path, options = _layers(run), dict(sampler or {})
    if on == TWIN:
        request = GenerationRequest(path, count, "twin", seed, label, guidance, None, options)
        return _generated(GenerationJob(request), progress)
    with borrowed(on, 0) as bench:
        origin = origin_of(bench)
        request = GenerationRequest(
            path, count, "bench", seed, label, guidance, origin.archive, options
        )
        prepared = GenerationJob(request, bench)
        check_bench(prepared.denoiser.calibrated.config, origin.file.config)
        return _generated(prepared, progress)


def _layers(run: Run | str | Path | None) -> Path | None:
    """Return the run file or the layer file; None for the pretrained layers."""
    if isinstance(run, Run):
        return run.path
    if run is None or run == PRETRAINED:
        return None
    path = Path(run)
    return path / RUN_FILE if path.is_dir() else path


def _generated(prepared: GenerationJob, progress: Progress) -> Images:
    with threads_for(prepared.request.count):
        images: npt.NDArray[np.float32] = run_job(prepared.job(), progress)
    return images.view(Images)
