"""Our calibrations beside slmsuite's own, on its simulated devices with the same noise.

Run by python benchmarks/calibration.py --against slmsuite. Where slmsuite needs a choice it gets the best
of several; its wavefront calibration is given the true registration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.calibration_checks.slmsuite_bench import PeerBench, peer_bench
from benchmarks.calibration_checks.slmsuite_own import (
    map_error_px,
    their_registration,
    their_response,
    their_wavefront,
)
from benchmarks.claims import Claim, claim
from calibration.layout import PatchLayout
from calibration.observed_slm import ObservedSLM
from calibration.phase_response import RIM_PX, chequerboard, measure_phase_response
from calibration.registration import FRAMES, Registration, register
from calibration.spots import BlazeSpots
from calibration.wavefront import measure_wavefront
from labdiff.job import run

Array = npt.NDArray[np.float64]
SPOTS, FEWER_SPOTS = 144, 36
SMALL, LARGE = ((512, 512), (512, 512)), ((1080, 1920), (1080, 1440))
WAVE, WAVE_PX_PER_CYCLE = ((256, 256), (384, 384)), 2.0
FIELD = 0.72
"""Our spots lie within so much of the camera's shorter side."""
ABERRATION_RAD = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """Errors of ours and theirs, each with the frames that it took, and words about ours."""

    ours: float
    frames: int
    exposure_frames: int
    theirs: float
    their_frames: int
    words: str = ""


def plane_of(bench: PeerBench) -> BlazeSpots:
    """Spots over most of the camera, by the data sheet's scale."""
    reach = FIELD / 2 * min(bench.camera.shape) / np.linalg.norm(bench.matrix, axis=0)
    return BlazeSpots(bench.slm.shape, (float(reach[0]), float(reach[1])))


def _observed(bench: PeerBench) -> ObservedSLM:
    """Return a bench whose patterns stand at once, as our routines take it."""
    return ObservedSLM(bench.slm, bench.camera, bench.pedestal_counts, lambda: None)


def our_registration(bench: PeerBench, spots: int = SPOTS) -> tuple[Registration, int]:
    """And how many frames the exposure took."""
    before = bench.camera.requests
    plane = plane_of(bench)
    found = run(register(_observed(bench), plane, spots))
    return found, bench.camera.requests - before - FRAMES


def registration(
    shapes: tuple[tuple[int, int], tuple[int, int]], seed: int, noisy: bool, aberration_rad: float
) -> Outcome:
    """Both, on one bench."""
    bench = peer_bench(
        *shapes, seed, noisy=noisy, aberration_rad=aberration_rad, even_light=aberration_rad == 0.0
    )
    bench.camera.exposure_ms = 3e4
    found, exposures = our_registration(bench)
    error = map_error_px(bench, found.matrix, found.offset)
    return Outcome(error, FRAMES, exposures, their_registration(bench), 1, found.verdict.reason)


def strehl_of(bench: PeerBench, correction_rad: Array) -> float:
    """Of the corrected light, at the brightest place: a tilt moves the spot and takes nothing away."""
    light = bench.amplitude * np.exp(1j * (bench.phase_rad + correction_rad))
    peak, place = 0.0, np.zeros(2)
    height, width = light.shape
    rows, columns = np.arange(height) / height, np.arange(width) / width
    for reach in (4.0, 0.4, 0.04):
        steps = np.linspace(-reach, reach, 41)
        along_rows = np.exp(-2j * np.pi * (place[0] + steps)[:, None] * rows)
        along_columns = np.exp(-2j * np.pi * (place[1] + steps)[:, None] * columns)
        power = np.abs(along_rows @ light @ along_columns.T) ** 2
        best = np.unravel_index(int(power.argmax()), power.shape)
        peak, place = float(power.max()), place + steps[list(best)]
    return float(peak / bench.amplitude.sum() ** 2)


def amplitude_error(bench: PeerBench, amplitude: Array) -> float:
    """Rms against the truth's rms, at the best common scale."""
    scale = (amplitude * bench.amplitude).sum() / (amplitude**2).sum()
    missed = np.linalg.norm(scale * amplitude - bench.amplitude)
    return float(missed / np.linalg.norm(bench.amplitude))


def wavefront(seed: int, steps: int = 1) -> tuple[Outcome, Outcome]:
    """Strehl and amplitude error of both, noisy. steps: slmsuite's phase steps; 1: fringes in one frame."""
    bench = peer_bench(
        *WAVE,
        seed,
        noisy=True,
        aberration_rad=ABERRATION_RAD,
        even_light=False,
        px_per_cycle=WAVE_PX_PER_CYCLE,
    )
    bench.camera.exposure_ms = 3e3
    plane = plane_of(bench)
    point = 0.45 * np.array(plane.reach)
    found, _ = our_registration(bench, FEWER_SPOTS)
    before = bench.camera.requests
    wave = run(measure_wavefront(_observed(bench), plane, found, point))
    frames = bench.camera.requests - before
    correction, amplitude, their_frames = their_wavefront(bench, point, steps)
    words = wave.verdict.reason
    strehl = Outcome(
        strehl_of(bench, -wave.phase_rad),
        frames,
        0,
        strehl_of(bench, correction),
        their_frames,
        words,
    )
    share = Outcome(
        amplitude_error(bench, wave.amplitude),
        frames,
        0,
        amplitude_error(bench, amplitude),
        their_frames,
    )
    return strehl, share


def response(seed: int) -> Outcome:
    """Rms error of the phase response of both, rad, noisy."""
    rng = np.random.default_rng(seed)
    grey = np.arange(256) / 255.0
    bend = rng.normal(0.0, 0.04, 2)
    gamma = rng.uniform(0.98, 1.1) * (
        grey + bend[0] * np.sin(np.pi * grey) + bend[1] * np.sin(2 * np.pi * grey) / 2
    )
    bench = peer_bench(*WAVE, seed, noisy=True, gamma=gamma, px_per_cycle=WAVE_PX_PER_CYCLE)
    bench.camera.exposure_ms = 1e3
    height, width = bench.slm.shape
    layout = PatchLayout((height, width), (height, width), 0, (0,), 8.0, 850.0, 1.0)
    panel, _ = chequerboard(layout, RIM_PX[0], 255, 0)
    bench.slm.set_grey(panel)
    bench.expose(1, 0.5)
    before = bench.camera.requests
    found = run(measure_phase_response(_observed(bench), layout))
    frames = bench.camera.requests - before
    true = 2.0 * np.pi * (gamma - gamma[0])
    error = float(np.std(found.phase_by_grey_rad - true))
    theirs, their_frames = their_response(bench, true)
    return Outcome(error, frames, 0, theirs, their_frames, found.verdict.reason)


def peer_claims(seeds: int, quick: bool, tell: Callable[[str], None]) -> list[Claim]:
    """Ours against the figures to reach, and against slmsuite's own on the same benches."""
    benches = range(1 if quick else seeds)
    claims = []

    def told(what: str, made: list[Outcome], bound: str) -> None:
        for seed, outcome in zip(benches, made, strict=False):
            tell(f"{what}, bench {seed}: {outcome}")
        worst = max if bound.startswith("<=") else min
        ours, theirs = worst(o.ours for o in made), worst(o.theirs for o in made)
        frames = max(o.frames for o in made)
        words = f"{what}, {len(made)} benches, worst, in {frames} frames"
        if made[0].exposure_frames:
            words += f" and {max(o.exposure_frames for o in made)} for the exposure"
        words += f" (slmsuite: {theirs:.3g} in {made[0].their_frames})"
        claims.append(claim(words, ours, bound))

    made = [registration(SMALL, seed, False, 0.0) for seed in benches]
    told("registration, clean: rms, camera px", made, "<= 0.02")
    made = [registration(SMALL, seed, True, 0.0) for seed in benches]
    told("registration, noisy: rms, camera px", made, "<= 0.1")
    made = [response(seed) for seed in benches]
    told("phase response, noisy: rms, rad", made, "<= 0.015")
    if not quick:
        # Minutes each: the first bench stands for all.
        made = [registration(LARGE, 0, True, ABERRATION_RAD)]
        told("registration, 1920 x 1080 on 1440 x 1080, noisy, aberrated: rms, px", made, "<= 0.15")
        waves = [wavefront(seed) for seed in benches]
        told("wavefront, noisy: Strehl", [w[0] for w in waves], ">= 0.995")
        told("wavefront, noisy: amplitude, rms share", [w[1] for w in waves], "<= 0.05")
        told("wavefront, noisy: frames", [_frames_of(w[0]) for w in waves], "<= 800")
        strehl, _ = wavefront(0, steps=5)
        tell(
            f"slmsuite's wavefront with 5 phase steps: {strehl.theirs:.3f} in {strehl.their_frames}"
        )
    return claims


def _frames_of(outcome: Outcome) -> Outcome:
    return replace(outcome, ours=outcome.frames, theirs=outcome.their_frames)
