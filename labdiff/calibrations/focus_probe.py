"""Where lenses on the patches are in focus: what tells wrong distances and orders of patches apart.

A lens on patch k, the others flat, makes its smallest spot on the camera when its focal length is the
path from there to the plane that the camera sees. By the bench file that is a gap from the last patch,
two from the one before, and so on. All paths longer by a share: gap, pitch or wavelength are not those of
the bench file. All longer by the same length: the camera is focused elsewhere. Shorter from the first
patch than from the last: light meets the patches in the other order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.signs import Sign
from calibration.step import CalibrationStep
from labdiff.job import Job
from labdiff.session.calibrated_bench import CalibratedBench

Array = npt.NDArray[np.float64]
LENGTHS = 11
"""Focal lengths that are tried on a patch, by equal ratios."""
SHORTEST, LONGEST = 0.6, 1.45
"""Shortest focal length in gaps, and longest in paths from the first patch."""
LEAST_CONTRAST = 1.5
"""Area of the blurred spot over that of the sharp one: less is no focus."""
CLIPPED_PIXELS, SHORTENINGS = 12, 5
"""Saturated pixels from which on the exposure is divided by four, and how often."""
FAR = 3
"""Path in gaps from which on a patch is far from the camera."""
SHORT = 0.75
"""Share of its path below which a lens is in focus by light that has not come all the way."""
SCALED, ASIDE, DISAGREE = 0.08, 0.12, 0.1
"""Shares by which paths may be longer, in proportion or alike, and by which patches may differ."""


@dataclass(frozen=True, slots=True)
class FocusFound:
    """path_gaps (K,): path of patches in gaps, by the bench file. focus_gaps (K,): as found, or NaN."""

    path_gaps: Array
    focus_gaps: Array

    @property
    def share(self) -> float:
        """Return by which share paths are longer than by the bench file; NaN if none was found."""
        return float(np.nanmedian(self.focus_gaps / self.path_gaps)) - 1.0

    def __str__(self) -> str:
        """Return in words where lenses are in focus."""
        found = ", ".join("nowhere" if np.isnan(f) else f"{f:.2f}" for f in self.focus_gaps)
        expected = ", ".join(f"{path:.0f}" for path in self.path_gaps)
        return f"lenses on the patches are in focus at {found} gaps, where {expected} are expected"

    @property
    def signs(self) -> tuple[Sign, ...]:
        """Return what the paths are a sign of; none if they are as the bench file has them."""
        seen = np.isfinite(self.focus_gaps)
        if not seen.any():
            return ("no focus",)
        if self._walks_off():
            return ("far lenses in the dark",)
        path, focus = self.path_gaps[seen], self.focus_gaps[seen]
        if len(path) > 1 and np.polyfit(path, focus, 1)[0] < 0.0:
            return ("patches in reverse",)
        share = self.share
        alike = float(np.median(focus - path))
        in_proportion = float(np.abs(focus - (1.0 + share) * path).max())
        as_a_shift = float(np.abs(focus - path - alike).max())
        if len(path) > 1 and as_a_shift < in_proportion:
            return ("focus aside",) if abs(alike) > ASIDE else ()
        agree = float(np.abs(focus / path / (1.0 + share) - 1.0).max()) < DISAGREE
        return ("paths in proportion",) if agree and abs(share) > SCALED else ()

    def _walks_off(self) -> bool:
        """Return whether lenses are in focus on the last patch, and on none of the far ones."""
        share = self.focus_gaps / self.path_gaps
        far = self.path_gaps >= FAR
        dark = np.isnan(share) | (share < SHORT)
        last = self.path_gaps.argmin()
        return bool(far.any() and dark[far].all() and abs(share[last] - 1.0) < ASIDE)


def find_focus(calibrated: CalibratedBench) -> Job[FocusFound]:
    """Find the focal length of each patch with LENGTHS frames, and some for the exposure."""
    bench = calibrated.bench
    layout = bench.layout
    count = len(layout.lefts)
    paths: Array = np.arange(count, 0, -1, dtype=np.float64)
    lengths = np.geomspace(SHORTEST, LONGEST * count, LENGTHS)
    found = np.full(count, np.nan)
    with _exposure_put_back(calibrated):
        for number in range(count - 1, -1, -1):
            frames = []
            for index, gaps in enumerate(lengths):
                patches = layout.flat()
                height, width = layout.patch_shape
                patches[number] = layout.lens(
                    (height - 1) / 2, (width - 1) / 2, gaps * layout.gap_mm
                )
                bench.show(patches)
                frame = _unsaturated(calibrated)
                frames.append(frame / max(frame.sum(), 1.0))
                done = (count - 1 - number) * LENGTHS + index
                message = f"lens of {gaps:.2f} gaps on patch {number + 1}"
                picture = frame.astype(np.float32)
                yield CalibrationStep("focus", done, count * LENGTHS, message, picture)
            found[number] = _sharpest(np.stack(frames), lengths)
    return FocusFound(paths, found)


@contextmanager
def _exposure_put_back(calibrated: CalibratedBench) -> Iterator[None]:
    camera = calibrated.bench.camera
    before_ms = camera.exposure_ms
    try:
        yield
    finally:
        camera.exposure_ms = before_ms


def _unsaturated(calibrated: CalibratedBench) -> Array:
    """Return a frame's counts above the dark level, with hardly a pixel at the largest count."""
    camera = calibrated.bench.camera
    for _ in range(SHORTENINGS):
        frame = camera.get_frame()
        quarter_ms = camera.exposure_ms / 4.0
        few = frame.saturated_fraction * frame.pixels.size <= CLIPPED_PIXELS
        if few or quarter_ms < camera.exposure_range_ms[0]:
            break
        camera.exposure_ms = quarter_ms
    counts: Array = frame.pixels.astype(np.float64) - calibrated.pedestal_counts
    return counts


def _sharpest(frames: Array, lengths: Array) -> float:
    """Return the focal length (of K) of the smallest spot in frames (K, H, W); NaN if there is none.

    What all frames share is no spot. The area is that of even light of the same mean and mean square.
    """
    moving = np.clip(frames - np.median(frames, axis=0), 0.0, None)
    areas = moving.sum(axis=(1, 2)) ** 2 / np.maximum(np.square(moving).sum(axis=(1, 2)), 1e-30)
    best = int(np.clip(areas.argmin(), 1, len(lengths) - 2))
    if np.median(areas) < LEAST_CONTRAST * areas.min():
        return float("nan")
    near = slice(best - 1, best + 2)
    curve = np.polyfit(np.log(lengths[near]), np.log(areas[near]), 2)
    if curve[0] <= 0.0:
        return float(lengths[areas.argmin()])
    return float(np.exp(-curve[1] / (2.0 * curve[0])))
