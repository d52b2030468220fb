"""Settling and beam of random mock benches against their hidden truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.calibrated import bench_file
from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import lit
from benchmarks.parts import Outcome, Setting
from calibration.beam import FIRST_SIDE, BeamFound, Crosstalk, measure_beam
from calibration.beam_shape import Gaussian, fit_gaussian
from calibration.observed_slm import ObservedSLM
from calibration.registration import measure_registration
from calibration.settling import SettlingFound, measure_settling
from labdiff.bench.compose import patch_layout
from labdiff.bench.mock_bench import mock_geometry
from labdiff.config.bench import parse_bench
from labdiff.job import run
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.optics.beam import beam_field

CRYSTALS: tuple[dict[str, Any], ...] = (
    {},
    {"rise_ms": 2.5, "fall_ms": 10.0, "scan_ms": 12.0},
    {"rise_ms": 8.0, "fall_ms": 3.0, "refresh_hz": 422.0, "scan_ms": 1.5},
)
"""Settings of the benches' liquid crystals, in turn: the mock's, a slow asymmetric one, a fast panel."""

CROSSTALK_OFF_PX = 0.04


@dataclass(frozen=True, slots=True)
class TimingFound:
    """Errors of one bench: times as shares; the beam's as shares of the waist, the edge in pixels.

    settling_sigmas, beam_sigmas: largest error in stated deviations. edge_px: NaN if none was found.
    """

    rise_share: float
    fall_share: float
    settle_share: float
    settling_sigmas: float
    settling_frames: int
    centre_share: float
    waist_share: float
    beam_sigmas: float
    edge_px: float
    beam_frames: int


def measure(setting: Setting) -> Outcome:
    """Measure settling and beam of random benches."""
    text = bench_file(setting)
    found = []
    for seed in setting.benches(20):
        found.append(timing_and_beam(text, seed))
        setting.say(f"settling and beam of bench {seed}: {found[-1]}")
    return Outcome(claims_of(found), {"timing": [asdict(each) for each in found]})


def timing_and_beam(text: str, seed: int) -> TimingFound:
    """Run both routines on one bench with every effect on."""
    config = parse_bench(text, "bench of the benchmark")
    slm = config.mock.slm.model_copy(update=CRYSTALS[seed % len(CRYSTALS)])
    lab = lit(mock_geometry(config), config.mock.model_copy(update={"slm": slm}), seed)
    lab.camera.exposure_ms = 0.5
    layout = patch_layout(config)
    pedestal = lab.world.truth.pedestal_counts

    def settle() -> None:
        lab.world.clock.sleep_s(lab.slm.timing.total_ms * 1e-3)

    bench = ObservedSLM(lab.slm, lab.camera, pedestal, settle)
    registration = run(measure_registration(bench, layout))
    # The last patch's response, as the calibration before has it.
    response = lab.world.truth.phase_by_grey_rad * lab.world.truth.stroke_map[-1].mean()
    before = lab.camera.requests
    settling: SettlingFound = run(measure_settling(bench, layout, lab.world.clock, response))
    between = lab.camera.requests
    lab.slm.set_lut(response)
    # The crosstalk that an alignment finds, which has one sample a pixel.
    crosstalk_px = lab.world.truth.crosstalk_px + CROSSTALK_OFF_PX
    beam: BeamFound = run(measure_beam(bench, layout, registration, Crosstalk(crosstalk_px)))
    pairs = [
        (settling.rise_ms, settling.rise_sigma_ms, slm.rise_ms),
        (settling.fall_ms, settling.fall_sigma_ms, slm.fall_ms),
        (settling.settle_ms, settling.settle_sigma_ms, true_settle_ms(lab)),
    ]
    rise, fall, whole = (abs(value / true - 1.0) for value, _, true in pairs)
    best = best_gaussian(lab)
    pitch_um = layout.pixel_pitch_um
    centre = np.abs(beam.centre_um - best.centre_px * pitch_um)
    waist = np.abs(beam.waist_um - best.waist_px * pitch_um)
    sigmas = np.concatenate([centre / beam.centre_sigma_um, waist / beam.waist_sigma_um])
    return TimingFound(
        rise_share=rise,
        fall_share=fall,
        settle_share=whole,
        settling_sigmas=max(abs(value - true) / sigma for value, sigma, true in pairs),
        settling_frames=between - before,
        centre_share=float((centre / (best.waist_px * pitch_um)).max()),
        waist_share=float((waist / (best.waist_px * pitch_um)).max()),
        beam_sigmas=float(sigmas.max()),
        edge_px=beam.edge_px - lab.world.truth.mirror_edge * layout.patch_shape[1],
        beam_frames=lab.camera.requests - between,
    )


def true_settle_ms(lab: MockLaboratory) -> float:
    """Return the settling time: a missed refresh, the patches' last row, a vanishing step down to 1 %."""
    geometry, slm = lab.world.geometry, lab.world.settings.slm
    last_row = (geometry.patch_top + geometry.patch_shape[0] - 1) / geometry.panel_shape[0]
    tau_ms = max(slm.rise_ms, slm.fall_ms) / np.log(9.0) * (1.0 + slm.small_step_slowdown)
    return float(1e3 / slm.refresh_hz + last_row * slm.scan_ms + np.log(100.0) * tau_ms)


def best_gaussian(lab: MockLaboratory) -> Gaussian:
    """Return the Gaussian that fits the true beam best: its higher modes move centre and waists."""
    truth = dataclasses.replace(lab.world.truth, mirror_edge=0.0)
    height, width = lab.world.geometry.patch_shape
    y_m, x_m = (
        (np.arange(2 * n, dtype=np.float64) - (2 * n - 1) / 2.0)
        * lab.world.geometry.pixel_pitch_um
        * 0.5e-6
        for n in (height, width)
    )
    field = np.abs(beam_field(lab.world.geometry, truth, y_m[:, None], x_m[None, :]))
    down, across = (np.arange(2 * n) // 2 * FIRST_SIDE // n for n in (height, width))
    number = (down[:, None] * FIRST_SIDE + across[None, :]).ravel()
    means = (np.bincount(number, field.ravel()) / np.bincount(number)).reshape(FIRST_SIDE, -1)
    every = np.ones_like(means, bool)
    return fit_gaussian(means, 0.01 * means, (height, width), every, ~every)


def claims_of(found: list[TimingFound]) -> list[Claim]:
    """Return the claims: how far off the worst bench is, and whether the stated deviations are true."""

    def worst(error: Callable[[TimingFound], float]) -> float:
        return float(max(abs(error(f)) for f in found))

    benches = f"{len(found)} benches, worst"
    sure = [f.settling_sigmas <= 3.0 for f in found] + [f.beam_sigmas <= 3.0 for f in found]
    edges = [abs(f.edge_px) <= 1.0 for f in found]
    frames = worst(lambda f: f.settling_frames) + worst(lambda f: f.beam_frames)
    return [
        claim(f"rise time, {benches}: error, share", worst(lambda f: f.rise_share), "<= 0.05"),
        claim(f"fall time, {benches}: error, share", worst(lambda f: f.fall_share), "<= 0.05"),
        claim(
            f"settling time, {benches}: error, share", worst(lambda f: f.settle_share), "<= 0.05"
        ),
        claim(f"beam centre, {benches}: error, waists", worst(lambda f: f.centre_share), "<= 0.05"),
        claim(f"beam waist, {benches}: error, share", worst(lambda f: f.waist_share), "<= 0.05"),
        claim("mirror's edge within 1 px: share of benches", float(np.mean(edges)), ">= 0.8"),
        claim("settling and beam within three deviations", float(np.mean(sure)), ">= 0.9"),
        claim("settling and beam together: frames", frames, "<= 1500"),
    ]
