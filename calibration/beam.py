"""Beam: its amplitude over the first and the last patch, where it lies, and the mirror's edge."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from calibration.beam_shape import Gaussian, axis_means, axis_reach, fit_edge, fit_gaussian
from calibration.coded_blocks import Blocks, block_efficiency, coded_amplitudes
from calibration.focused_patch import (
    FocusedCamera,
    NoSpotError,
    column_strips,
    focused_blocks,
    lens_array,
)
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.registration import Registration
from calibration.result import CalibrationResult, Verdict
from calibration.step import CalibrationStep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
FIRST_SIDE, LAST_SIDE = 7, 6
STRIPS, STRIP_PX = 15, 2
FAR_OFF = 1.0 / 3.0
MOST_SHADED = 0.03
LARGEST_MISS = 0.08
LEAST_SIGNAL = 5.0
"""A block's amplitude over its deviation, in the median: less is no light that follows the SLM."""


@dataclass(frozen=True, slots=True)
class Crosstalk:
    """Rms width of the SLM's fringing field, pixels, and its standard deviation."""

    px: float
    sigma_px: float = 0.0


def _no_blocks() -> Array:
    return np.zeros((0, 0))


@dataclass(frozen=True, slots=True)
class BeamFound(CalibrationResult):
    """Amplitudes are of the field, 1.0 = root mean square over the blocks of their patch; (x, y) pairs.

    first_amplitude (7, 7) and last_amplitude (6, 6), with standard deviations: mean over each block
    of the first patch, and of the last with flat patches on the way. centre, waist: of the
    Gaussian through the first patch's amplitudes, from the patch's centre; the waist is the radius
    at which the intensity is 1/e^2. last_centre: centroid of the light on the last patch. edge_px: how
    far the mirror's edge reaches into the first patch from its left, NaN if none is seen. shaded_share:
    of the light on the patch, lost behind that edge; missed_share: of the beam, beside the patch.
    shift_px: by which to move all patches to bring the beam to the first one's centre. held_out:
    rms of the Gaussian on blocks that were not fitted, share of its peak. crosstalk_error (7, 7): by how
    much the first amplitudes would change if the crosstalk were one standard deviation larger; empty in
    older archives.
    """

    routine: ClassVar[str] = "beam"
    title: ClassVar[str] = "Where the beam meets the first patch, and how wide it is"
    plotted: ClassVar[str] = "first_amplitude"
    shapes: ClassVar[Mapping[str, tuple[int | None, ...]]] = {
        **dict.fromkeys(("first_amplitude", "first_sigma"), (None, None)),
        **dict.fromkeys(("last_amplitude", "last_sigma", "crosstalk_error"), (None, None)),
        **dict.fromkeys(("centre_um", "centre_sigma_um", "last_centre_um"), (2,)),
        **dict.fromkeys(("waist_um", "waist_sigma_um", "shift_px"), (2,)),
    }

    first_amplitude: Array = field(compare=False)
    first_sigma: Array = field(compare=False)
    last_amplitude: Array = field(compare=False)
    last_sigma: Array = field(compare=False)
    centre_um: Array = field(compare=False)
    centre_sigma_um: Array = field(compare=False)
    waist_um: Array = field(compare=False)
    waist_sigma_um: Array = field(compare=False)
    last_centre_um: Array = field(compare=False)
    edge_px: float
    edge_sigma_px: float
    shaded_share: float
    missed_share: float
    shift_px: Array = field(compare=False)
    held_out: float
    verdict: Verdict
    crosstalk_error: Array = field(default_factory=_no_blocks, compare=False)

    def figure(self, patch_shape: tuple[int, int]) -> Figure | None:
        """Return the amplitude over the first and the last patch; None if there is none."""
        from matplotlib.figure import Figure

        if not self.first_amplitude.size:
            return None
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        axes = figure.subplots(1, 2)
        maps = (("first patch", self.first_amplitude), ("last patch", self.last_amplitude))
        for ax, (patch, amplitude) in zip(axes, maps, strict=True):
            drawn = ax.imshow(
                amplitude / np.nanmax(amplitude),
                cmap="inferno",
                vmin=0.0,
                vmax=1.0,
                extent=(0, 1, 1, 0),
            )
            ax.set_title(f"amplitude, {patch}", fontsize=9)
            ax.set_xticks([]), ax.set_yticks([])
            figure.colorbar(drawn, ax=ax, shrink=0.8).ax.tick_params(labelsize=7)
        return figure


def measure_beam(
    bench: ObservedSLM,
    layout: PatchLayout,
    registration: Registration,
    crosstalk: Crosstalk,
) -> Generator[CalibrationStep, None, BeamFound]:
    """Measure blocks of a patch, coded by phase, under a lens that brings them all to one point.

    First patch: a lens of the whole remaining path; all others stay flat, since a tilted one would
    send its zero order to the same point by another way, and what the mirrors tilt is taken up by the
    lens's place. Last patch: nine lenses of one gap, none so steep that pixels could not follow it. At
    the focus the light of all blocks adds up, so that each one's part is its mean amplitude, whatever
    aberrations there are; what the SLM cannot bend and what patches on the way cut off is known and
    divided out. Narrow columns of the first patch tell the fringes behind the mirror's edge.

    Run it after the phase response: a piston has to be what it says. On a bench with a DMD all its mirrors
    are on, and the first patch is the first layer. The exposure is put back. Takes about 450 frames.

    Args:
        bench: SLM and camera.
        layout: of the patches.
        registration: as it was measured, with the last patch's tilt in it.
        crosstalk: costs light where a lens is steep; how well it is known is part of the result's
            deviations.
    """
    camera = bench.camera
    stands_ms = camera.exposure_ms
    shape = layout.patch_shape
    gaps = len(layout.lefts)
    focused = FocusedCamera(bench, layout, registration)
    try:
        lens = yield from focused.centre_lens(0, gaps * layout.gap_mm)
        first = focused_blocks(shape, FIRST_SIDE, 1, lens)
        strips = column_strips(shape, STRIPS, STRIP_PX, lens)
        last = focused_blocks(shape, LAST_SIDE, 3, lens_array(layout, 3))
        total = first.frames + strips.frames + last.frames
        focused.aim(0, lens, 1)
        first_found = yield from _coded(focused, first, 0, total, "first patch")
        strip_found = yield from _coded(focused, strips, first.frames, total, "columns at the edge")
        focused.aim(gaps - 1, last.base_rad, 3)
        last_found = yield from _coded(
            focused, last, first.frames + strips.frames, total, "last patch"
        )
    except NoSpotError as error:
        return _failed(
            str(error),
            "Check that the laser is on, that the SLM shows patterns, and the registration.",
        )
    finally:
        camera.exposure_ms = stands_ms
    signal = float(np.median(first_found[0] / first_found[1]))
    if not signal > LEAST_SIGNAL:
        return _failed(
            "the light does not follow the blocks of the first patch",
            "Check that the SLM shows patterns, and that the beam falls on the first patch.",
        )
    first_patch = _FirstPatch(layout, first, strips, first_found, strip_found)
    amplitude, sigma, beam, edge = first_patch.shape(crosstalk.px)
    shifted, _, other, _ = first_patch.shape(crosstalk.px + crosstalk.sigma_px)
    beam = dataclasses.replace(
        beam,
        centre_sigma_px=np.hypot(beam.centre_sigma_px, other.centre_px - beam.centre_px),
        waist_sigma_px=np.hypot(beam.waist_sigma_px, other.waist_px - beam.waist_px),
    )
    efficiency = block_efficiency(last, crosstalk.px)
    last_amplitude, last_sigma = (
        (values / efficiency).reshape(LAST_SIDE, -1) for values in last_found
    )
    picture = (amplitude / _rms(amplitude)).astype(np.float32)
    message = "amplitude over the first patch"
    yield CalibrationStep("beam", total - 1, total, message, picture, "rms amplitudes")
    found = _result((amplitude, sigma), (last_amplitude, last_sigma), beam, edge, layout)
    change = shifted / _rms(shifted) - amplitude / _rms(amplitude)
    return dataclasses.replace(found, crosstalk_error=change)


@dataclass(frozen=True, slots=True)
class _FirstPatch:
    """Amplitudes of the first patch's blocks and of its columns, with deviations, as they were seen."""

    layout: PatchLayout
    blocks: Blocks
    strips: Blocks
    block_amplitudes: tuple[Array, Array]
    strip_amplitudes: tuple[Array, Array]

    def shape(self, crosstalk_px: float) -> tuple[Array, Array, Gaussian, tuple[float, float]]:
        """Return amplitudes (7, 7), their deviations, the Gaussian and the edge, for a crosstalk."""
        layout, size = self.layout, self.layout.patch_shape
        gaps = len(layout.lefts)
        down, across = (
            np.abs(
                axis_means(
                    axis_reach(n, gaps, layout.pixel_pitch_um, layout.wavelength_nm, layout.gap_mm),
                    FIRST_SIDE,
                )
            )
            for n in size
        )
        on_the_way = down[:, None] * across[None, :]
        on_the_way = on_the_way * block_efficiency(self.blocks, crosstalk_px).reshape(
            FIRST_SIDE, -1
        )
        amplitude, sigma = (v.reshape(FIRST_SIDE, -1) / on_the_way for v in self.block_amplitudes)
        number = np.arange(FIRST_SIDE**2).reshape(FIRST_SIDE, -1)
        # Fringes behind an edge at the left reach over the first two columns of blocks.
        clear = number % FIRST_SIDE > 1
        beam = fit_gaussian(amplitude, sigma, size, clear, number % 5 == 3)
        fringe_um = np.sqrt(layout.wavelength_nm * 1e-3 * layout.gap_mm * 1e3 / 4.0)
        efficiency = block_efficiency(self.strips, crosstalk_px)
        strip_found = tuple(v / efficiency for v in self.strip_amplitudes)
        edge = fit_edge(
            strip_found[0],
            strip_found[1],
            STRIP_PX,
            beam.along_x(size[1]),
            fringe_um / layout.pixel_pitch_um,
        )
        return amplitude, sigma, beam, edge


def _rms(amplitude: Array) -> float:
    return float(np.sqrt(np.mean(amplitude**2)))


def _coded(
    focused: FocusedCamera, blocks: Blocks, before: int, total: int, message: str
) -> Generator[CalibrationStep, None, tuple[Array, Array]]:
    """Return the mean amplitude that arrives of each block, and its deviation; no block is empty."""
    routine = coded_amplitudes(blocks, focused.counts_with)
    while True:
        try:
            done = next(routine)
        except StopIteration as stop:
            amplitude, sigma = stop.value
            break
        yield CalibrationStep("beam", before + done - 1, total, message, focused.frame)
    area = np.bincount(blocks.labels[blocks.labels >= 0], minlength=len(amplitude))
    return amplitude / area, sigma / area


def _failed(reason: str, remedy: str) -> BeamFound:
    none, pair = float("nan"), np.full(2, np.nan)
    first, last = np.full((FIRST_SIDE,) * 2, np.nan), np.full((LAST_SIDE,) * 2, np.nan)
    verdict = Verdict("fail", reason, remedy)
    return BeamFound(
        first,
        first,
        last,
        last,
        pair,
        pair,
        pair,
        pair,
        pair,
        none,
        none,
        none,
        none,
        pair,
        none,
        verdict,
    )


def _result(
    first: tuple[Array, Array],
    last: tuple[Array, Array],
    beam: Gaussian,
    edge: tuple[float, float],
    layout: PatchLayout,
) -> BeamFound:
    pitch_um = layout.pixel_pitch_um
    first_rms, last_rms = (_rms(a) for a, _ in (first, last))
    places = (np.arange(LAST_SIDE) + 0.5) / LAST_SIDE - 0.5
    power = last[0] ** 2 / np.sum(last[0] ** 2)
    last_centre = pitch_um * np.array(
        [
            layout.patch_shape[1] * (power.sum(axis=0) @ places),
            layout.patch_shape[0] * (power.sum(axis=1) @ places),
        ]
    )
    intensity = beam.along_x(layout.patch_shape[1]) ** 2
    behind = np.arange(len(intensity)) + 0.5 < edge[0]  # False for NaN
    shaded = float(intensity[behind].sum() / intensity.sum())
    shift = np.rint(beam.centre_px)
    return BeamFound(
        first_amplitude=first[0] / first_rms,
        first_sigma=first[1] / first_rms,
        last_amplitude=last[0] / last_rms,
        last_sigma=last[1] / last_rms,
        centre_um=beam.centre_px * pitch_um,
        centre_sigma_um=beam.centre_sigma_px * pitch_um,
        waist_um=beam.waist_px * pitch_um,
        waist_sigma_um=beam.waist_sigma_px * pitch_um,
        last_centre_um=last_centre,
        edge_px=edge[0],
        edge_sigma_px=edge[1],
        shaded_share=shaded,
        missed_share=1.0 - beam.share_inside(layout.patch_shape),
        shift_px=shift,
        held_out=beam.held_out,
        verdict=_verdict(beam, edge[0], shaded, shift, pitch_um),
    )


def _verdict(
    beam: Gaussian, edge_px: float, shaded: float, shift_px: Array, pitch_um: float
) -> Verdict:
    (x, y), (wx, wy) = beam.centre_px * pitch_um, beam.waist_px * pitch_um
    message = (
        f"centre at ({x:.0f}, {y:.0f}) um from the first patch's, waists {wx:.0f} and {wy:.0f} um"
    )
    if np.isfinite(edge_px):
        message += f", the mirror's edge {edge_px:.1f} px inside"
    move = f"Move all patches by ({shift_px[0]:.0f}, {shift_px[1]:.0f}) px in x and y, or the beam back."
    if (np.abs(beam.centre_px) > FAR_OFF * beam.waist_px).any():
        return Verdict("warn", f"{message}: off by more than a third of the waist", move)
    if shaded > MOST_SHADED:
        return Verdict(
            "warn",
            f"{message}: it takes {shaded:.1%} of the first patch's light",
            f"Move the mirror back, or the patches by {np.ceil(edge_px):.0f} px to the right.",
        )
    if beam.held_out > LARGEST_MISS:
        return Verdict(
            "warn",
            f"{message}; blocks that were not fitted are missed by {beam.held_out:.0%} of the peak",
            "Clean the optics or filter the beam: it is no Gaussian.",
        )
    return Verdict("pass", message)
