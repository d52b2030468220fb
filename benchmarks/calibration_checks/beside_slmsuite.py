"""Our calibrations beside slmsuite's own, on its simulated devices with the same noise.

Where slmsuite needs a choice it gets the best
of several; its wavefront calibration is given the true registration.
"""

from __future__ import annotations

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
from benchmarks.parts import Outcome, Scale, Setting
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
class Compared:
    """Errors of ours and theirs, each with the frames that it took, and our verdict's reason."""

    ours: float
    frames: int
    exposure_frames: int
    theirs: float
    their_frames: int
    reason: str = ""


def plane_of(bench: PeerBench) -> BlazeSpots:
    """Return spots over most of the camera, by the data sheet's scale."""
    reach = FIELD / 2 * min(bench.camera.shape) / np.linalg.norm(bench.matrix, axis=0)
    return BlazeSpots(bench.slm.shape, (float(reach[0]), float(reach[1])))


def _observed(bench: PeerBench) -> ObservedSLM:
    """Return a bench whose patterns stand at once, as our routines take it."""
    return ObservedSLM(bench.slm, bench.camera, bench.pedestal_counts, lambda: None)


def our_registration(bench: PeerBench, spots: int = SPOTS) -> tuple[Registration, int]:
    """Return our registration, and how many frames the exposure took."""
    before = bench.camera.requests
    plane = plane_of(bench)
    found = run(register(_observed(bench), plane, spots))
    return found, bench.camera.requests - before - FRAMES


def registration(
    shapes: tuple[tuple[int, int], tuple[int, int]], seed: int, noisy: bool, aberration_rad: float
) -> Compared:
    """Register one bench by both."""
    bench = peer_bench(
        *shapes, seed, noisy=noisy, aberration_rad=aberration_rad, even_light=aberration_rad == 0.0
    )
    bench.camera.exposure_ms = 3e4
    found, exposures = our_registration(bench)
    error = map_error_px(bench, found.matrix, found.offset)
    return Compared(error, FRAMES, exposures, their_registration(bench), 1, found.verdict.reason)


def strehl_of(bench: PeerBench, correction_rad: Array) -> float:
    """Return the Strehl ratio at the brightest place: a tilt moves the spot and takes nothing away."""
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
    """Return the rms error over the truth's rms, at the best common scale."""
    scale = (amplitude * bench.amplitude).sum() / (amplitude**2).sum()
    missed = np.linalg.norm(scale * amplitude - bench.amplitude)
    return float(missed / np.linalg.norm(bench.amplitude))


def wavefront(seed: int, steps: int = 1) -> tuple[Compared, Compared]:
    """Return Strehl and amplitude error of both, noisy.

    steps: slmsuite's phase steps; 1: fringes in one frame.
    """
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
    strehl = Compared(
        strehl_of(bench, -wave.phase_rad),
        frames,
        0,
        strehl_of(bench, correction),
        their_frames,
        words,
    )
    share = Compared(
        amplitude_error(bench, wave.amplitude),
        frames,
        0,
        amplitude_error(bench, amplitude),
        their_frames,
    )
    return strehl, share


def response(seed: int) -> Compared:
    """Return the rms error of the phase response of both, rad, noisy."""
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
    return Compared(error, frames, 0, theirs, their_frames, found.verdict.reason)


def measure(setting: Setting) -> Outcome:
    """Measure ours against the figures to reach, and against slmsuite's own on the same benches."""
    benches = setting.benches(20)
    claims: list[Claim] = []

    def compare(title: str, bound: str, made: list[Compared]) -> None:
        for seed, compared in zip(benches, made, strict=False):
            setting.say(f"{title}, bench {seed}: {compared}")
        worst = max if bound.startswith("<=") else min
        ours, theirs = worst(c.ours for c in made), worst(c.theirs for c in made)
        frames = max(c.frames for c in made)
        title += f", {len(made)} benches, worst, in {frames} frames"
        if made[0].exposure_frames:
            title += f" and {max(c.exposure_frames for c in made)} for the exposure"
        title += f" (slmsuite: {theirs:.3g} in {made[0].their_frames})"
        claims.append(claim(title, ours, bound))

    compare(
        "registration, clean: rms, camera px",
        "<= 0.02",
        [registration(SMALL, seed, False, 0.0) for seed in benches],
    )
    compare(
        "registration, noisy: rms, camera px",
        "<= 0.1",
        [registration(SMALL, seed, True, 0.0) for seed in benches],
    )
    compare("phase response, noisy: rms, rad", "<= 0.015", [response(seed) for seed in benches])
    if setting.scale is not Scale.FULL:
        setting.leave_out("the large registration, and wavefronts: minutes each")
        return Outcome(claims)
    # Minutes each: the first bench stands for all.
    compare(
        "registration, 1920 x 1080 on 1440 x 1080, noisy, aberrated: rms, px",
        "<= 0.15",
        [registration(LARGE, 0, True, ABERRATION_RAD)],
    )
    waves = [wavefront(seed) for seed in benches]
    compare("wavefront, noisy: Strehl", ">= 0.995", [w[0] for w in waves])
    compare("wavefront, noisy: amplitude, rms share", "<= 0.05", [w[1] for w in waves])
    compare("wavefront, noisy: frames", "<= 800", [_frames_of(w[0]) for w in waves])
    strehl, _ = wavefront(0, steps=5)
    setting.say(
        f"slmsuite's wavefront with 5 phase steps: {strehl.theirs:.3f} in {strehl.their_frames}"
    )
    return Outcome(claims)


def _frames_of(compared: Compared) -> Compared:
    return replace(compared, ours=compared.frames, theirs=compared.their_frames)
