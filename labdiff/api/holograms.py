"""Shape light into a picture or spots from a notebook or a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labdiff.api.opening import borrowed, origin_of
from labdiff.api.progress import Progress, run_job
from labdiff.bench.bench import Bench
from labdiff.bench.measurement import FloatImages
from labdiff.holograms.figures import HologramFigures
from labdiff.holograms.options import HologramOptions
from labdiff.holograms.result import HologramResult
from labdiff.holograms.target import Wanted
from labdiff.jobs.camera_hologram_job import CameraHologramJob, HologramRequest


@dataclass(frozen=True, slots=True)
class Hologram:
    """A hologram; a notebook shows its figures, its frames, and how they became better.

    Attributes:
        result: All of it: pattern, grey levels, frames, history.
        bench: Name of the bench.
        seed: Of the start.
        simulated: What of the bench is simulated; "" if nothing is.
    """

    result: HologramResult
    bench: str
    seed: int
    simulated: str

    @property
    def pattern_rad(self) -> FloatImages:
        """The pattern of the whole SLM, (height, width), radians."""
        return self.result.pattern_rad

    @property
    def measured(self) -> FloatImages:
        """What the camera saw of it on the output plane, (h, w)."""
        return self.result.measured

    @property
    def predicted(self) -> FloatImages:
        """What the twin says of it, (h, w)."""
        return self.result.predicted

    @property
    def figures(self) -> HologramFigures:
        """The figures of `measured`: efficiency, nrmse, psnr_db, in_spots, uniformity."""
        return self.result.figures

    @property
    def twin_only(self) -> HologramFigures:
        """The same of the first frame: what the twin alone achieved."""
        return self.result.first

    def write(self, folder: str | Path) -> Path:
        """Write pattern, frames, figures and a page into a folder and return it.

        Args:
            folder: Is created if it does not exist.

        Raises:
            UserError: If they cannot be written.

        Example:
            >>> labdiff.hologram("mock-small", labdiff.HologramSpots(100)).write("spots")
            PosixPath('spots')
        """
        from labdiff.reports.hologram_report import write_hologram

        where = Path(folder)
        write_hologram(where, self.result, self.bench, self.seed, self.simulated)
        return where

    def __repr__(self) -> str:
        """Return target and figures."""
        first, last = self.twin_only, self.figures
        figure = f"PSNR {first.psnr_db:.1f} -> {last.psnr_db:.1f} dB"
        if self.result.target.spots is not None:
            figure = f"uniformity {first.uniformity:.3f} -> {last.uniformity:.3f}"
        return f"<hologram of {self.result.target.name}: {figure}>"

    def _repr_html_(self) -> str:
        """Return figures and pictures, for a notebook."""
        from labdiff.reports.hologram_report import hologram_parts
        from labdiff.reports.html_page import fragment

        return fragment(hologram_parts(self.result, self.simulated))


def hologram(
    bench: Bench | str | Path,
    target: Wanted,
    *,
    region: Sequence[int] | None = None,
    options: HologramOptions | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress = False,
) -> Hologram:
    """Make a picture or spots of the light: on the twin, then with the camera in the loop.

    Args:
        bench: An open bench, or what `open_bench` takes; it has to be calibrated once.
        target: An image file, an array (H, W) of intensities, or `labdiff.HologramSpots`.
        region: (top, left, height, width) on the output plane, in its pixels, where the light is to be; an
            image keeps the ratio of its sides. None for the middle three quarters.
        options: Frames, steps, smoothness; None for the defaults.
        seed: Of the start, and of a mock bench that is named and not open.
        out: Folder for pattern, frames, figures and a page, also where it was stopped; None for none.
        progress: True for a progress bar, or a function that is called with each event.

    Returns:
        The hologram: the pattern that was best on the camera.

    Raises:
        UserError: If the target is no image or black, the region lies beyond the plane, or the bench was
            never calibrated.
        JobStoppedError: If Ctrl-C stopped it; the folder `out` then holds the best until then.

    Example:
        >>> labdiff.hologram("mock-small", labdiff.HologramSpots(100)).figures.uniformity
        0.987
    """
    with borrowed(bench, seed) as opened:
        origin = origin_of(opened)
        request = HologramRequest(
            target,
            origin.file,
            seed,
            None if region is None else tuple(region),
            options or HologramOptions(),
            origin.archive,
        )
        prepared = CameraHologramJob(request, opened)
        try:
            result = run_job(prepared.job(), progress)
        finally:
            if out is not None and prepared.result is not None:
                _made(prepared, prepared.result).write(out)
        return _made(prepared, result)


def _made(prepared: CameraHologramJob, result: HologramResult) -> Hologram:
    name, seed = prepared.config.name, prepared.request.seed
    return Hologram(result, name, seed, prepared.simulated)
