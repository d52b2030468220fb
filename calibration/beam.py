"""Beam: its amplitude over the first and the last patch, where it lies, and the mirror's edge."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

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
from calibration.registration import Registration
from calibration.result import Verdict
from calibration.step import CalibrationStep
from drivers.protocols import SLM, Camera

Array = npt.NDArray[np.float64]
FIRST_SIDE, LAST_SIDE = 7, 6
STRIPS, STRIP_PX = 15, 2
FAR_OFF = 1.0 / 3.0
MOST_SHADED = 0.03
LARGEST_MISS = 0.08
LEAST_SIGNAL = 5.0
"""A block's amplitude over its deviation, in the median: less is no light that follows the SLM."""


@dataclass(frozen=True, slots=True)
class BeamFound:
    """Amplitudes are of the field, 1.0 = root mean square over the blocks of their patch; (x, y) pairs.

    first_amplitude (7, 7) and last_amplitude (6, 6), with standard deviations: mean over each block
    of the first patch, and of the last with flat patches on the way. centre, waist: of the
    Gaussian through the first patch's amplitudes, from the patch's centre; the waist is the radius
    at which the intensity is 1/e^2. last_centre: centroid of the light on the last patch. edge_px: how
    far the mirror's edge reaches into the first patch from its left, NaN if none is seen. shaded_share:
    of the light on the patch, lost behind that edge; missed_share: of the beam, beside the patch.
    shift_px: by which to move all patches to bring the beam to the first one's centre. held_out:
    rms of the Gaussian on blocks that were not fitted, share of its peak.
    """

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


def measure_beam(
    slm: SLM,
    camera: Camera,
    layout: PatchLayout,
    pedestal_counts: float,
    settle: Callable[[], None],
    registration: Registration,
    crosstalk_px: float,
) -> Generator[CalibrationStep, None, BeamFound]:
    """Blocks of a patch, coded by phase, under a lens that brings them all to one point of the camera.

    First patch: a lens of the whole remaining path; all others stay flat, since a tilted one would
    send its zero order to the same point by another way, and what the mirrors tilt is taken up by the
    lens's place. Last patch: nine lenses of one gap, none so steep that pixels could not follow it. At
    the focus the light of all blocks adds up, so that each one's part is its mean amplitude, whatever
    aberrations there are; what the SLM cannot bend and what patches on the way cut off is known and
    divided out. Narrow columns of the first patch tell the fringes behind the mirror's edge.

    Run it after the phase response: a piston has to be what it says. On a bench with a DMD all its mirrors
    are on, and the first patch is the first layer. crosstalk_px: of the fringing field, rms, which
    costs light where a lens is steep. The exposure is put back. Takes about 450 frames.
    """
    stands_ms = camera.exposure_ms
    shape = layout.patch_shape
    gaps = len(layout.lefts)
    eye = FocusedCamera(slm, camera, layout, pedestal_counts, settle, registration)
    try:
        lens = yield from eye.centre_lens(0, gaps * layout.gap_mm)
        first = focused_blocks(shape, FIRST_SIDE, 1, lens)
        strips = column_strips(shape, STRIPS, STRIP_PX, lens)
        last = focused_blocks(shape, LAST_SIDE, 3, lens_array(layout, 3))
        total = first.frames + strips.frames + last.frames
        eye.aim(0, lens, 1)
        first_found = yield from _coded(eye, first, crosstalk_px, 0, total, "first patch")
        strip_found = yield from _coded(
            eye, strips, crosstalk_px, first.frames, total, "columns at the edge"
        )
        eye.aim(gaps - 1, last.base_rad, 3)
        last_found = yield from _coded(
            eye, last, crosstalk_px, first.frames + strips.frames, total, "last patch"
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
    reach = [
        axis_reach(size, gaps, layout.pixel_pitch_um, layout.wavelength_nm, layout.gap_mm)
        for size in shape
    ]
    down, across = (np.abs(axis_means(r, FIRST_SIDE)) for r in reach)
    on_the_way = down[:, None] * across[None, :]
    amplitude, sigma = (v.reshape(FIRST_SIDE, -1) / on_the_way for v in first_found)
    last_amplitude, last_sigma = (v.reshape(LAST_SIDE, -1) for v in last_found)
    number = np.arange(FIRST_SIDE**2).reshape(FIRST_SIDE, -1)
    # Fringes behind an edge at the left reach over the first two columns of blocks.
    clear = number % FIRST_SIDE > 1
    beam = fit_gaussian(amplitude, sigma, shape, clear, number % 5 == 3)
    fringe_um = np.sqrt(layout.wavelength_nm * 1e-3 * layout.gap_mm * 1e3 / 4.0)
    beam_x = beam.along_x(shape[1])
    edge = fit_edge(*strip_found, STRIP_PX, beam_x, fringe_um / layout.pixel_pitch_um)
    picture = (amplitude / np.sqrt(np.mean(amplitude**2))).astype(np.float32)
    yield CalibrationStep("beam", total - 1, total, "amplitude over the first patch", picture)
    return _result((amplitude, sigma), (last_amplitude, last_sigma), beam, edge, layout)


def _coded(
    eye: FocusedCamera, blocks: Blocks, crosstalk_px: float, before: int, total: int, words: str
) -> Generator[CalibrationStep, None, tuple[Array, Array]]:
    """Mean amplitude of each block and its deviation; blocks without an area there are none."""
    routine = coded_amplitudes(blocks, eye.look)
    while True:
        try:
            done = next(routine)
        except StopIteration as stop:
            amplitude, sigma = stop.value
            break
        yield CalibrationStep("beam", before + done - 1, total, words, eye.frame)
    area = np.bincount(blocks.labels[blocks.labels >= 0], minlength=len(amplitude))
    scale = 1.0 / (area * block_efficiency(blocks, crosstalk_px))
    return amplitude * scale, sigma * scale


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
    first_rms, last_rms = (np.sqrt(np.mean(a**2)) for a, _ in (first, last))
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
    words = (
        f"centre at ({x:.0f}, {y:.0f}) um from the first patch's, waists {wx:.0f} and {wy:.0f} um"
    )
    if np.isfinite(edge_px):
        words += f", the mirror's edge {edge_px:.1f} px inside"
    move = f"Move all patches by ({shift_px[0]:.0f}, {shift_px[1]:.0f}) px in x and y, or the beam back."
    if (np.abs(beam.centre_px) > FAR_OFF * beam.waist_px).any():
        return Verdict("warn", f"{words}: off by more than a third of the waist", move)
    if shaded > MOST_SHADED:
        return Verdict(
            "warn",
            f"{words}: it takes {shaded:.1%} of the first patch's light",
            f"Move the mirror back, or the patches by {np.ceil(edge_px):.0f} px to the right.",
        )
    if beam.held_out > LARGEST_MISS:
        return Verdict(
            "warn",
            f"{words}; blocks that were not fitted are missed by {beam.held_out:.0%} of the peak",
            "Clean the optics or filter the beam: it is no Gaussian.",
        )
    return Verdict("pass", words)
