"""How well the calibrations measure: python benchmarks/calibration.py [--json] [--quick] [--seeds N].

--against slmsuite measures ours beside slmsuite's own on its simulated devices instead.

Random mock benches with every effect on. Each routine runs as `labdiff calibrate` runs it, and what it
found is compared with the mock's hidden truth, which only this script reads.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from claims import claim, finish, options
from mock_checks.benches import bench_geometry, lit
from rich.console import Console

from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.exposure import set_exposure
from calibration.phase_response import PhaseResponse
from labdiff.assemble import mock_geometry
from labdiff.calibrate import first_look, full_calibration
from labdiff.config import TrainingOptions, load_bench
from labdiff.events import Calibrated, Event
from labdiff.jobs import ExperimentJob, Request
from labdiff.runner import run
from mock_hardware.truth import draw_truth

DECADES = tuple(10.0 ** np.arange(-3, 4))


@dataclass(frozen=True, slots=True)
class Found:
    """Errors of one bench against its truth."""

    gain_share: float
    gain_sigmas: float
    read_noise_share: float
    saturation_counts: float
    hot_pixels_wrong: int
    phase_rms_rad: float
    exposure_frames: int
    exposures_off: int


def exposures(seed: int) -> tuple[int, int]:
    """Most frames that an exposure took over six decades, and how many ended outside 0.50 ... 0.55."""
    config = load_bench("mock")
    lab = lit(bench_geometry("mock"), config.mock, seed)
    lab.laser.power_mw = config.laser.power_mw

    def expose() -> tuple[float, int]:
        before = lab.camera.requests
        routine = set_exposure(lab.camera, lab.truth.pedestal_counts, laser=lab.laser)
        fill = run(routine).fill
        return fill, lab.camera.requests - before

    expose()
    right_ms, right_mw = lab.camera.exposure_ms, lab.laser.power_mw
    most, off = 0, 0
    for times in DECADES:
        low, high = lab.camera.exposure_range_ms
        lab.camera.exposure_ms = float(np.clip(times * right_ms, low, high))
        lab.laser.power_mw = right_mw * times * right_ms / lab.camera.exposure_ms
        fill, frames = expose()
        most, off = max(most, frames), off + (not 0.5 <= fill <= 0.55)
    return most, off


def one_bench(seed: int) -> Found:
    """All routines on one bench."""
    session = ExperimentJob(
        Request("mock", None, TrainingOptions(seed=seed, offline_steps=0))
    ).session
    results: dict[str, object] = {}

    def job() -> Generator[Event, None, None]:
        with session.bench:
            for stage in (first_look(session), full_calibration(session)):
                for event in stage:
                    if isinstance(event, Calibrated):
                        results[event.routine] = event.result
                    yield event

    run(job())
    truth = draw_truth(mock_geometry(session.config), session.config.mock, seed)
    camera, dark, response = (results[n] for n in ("camera", "dark level", "phase response"))
    assert isinstance(camera, CameraFound)
    assert isinstance(dark, DarkLevel)
    assert isinstance(response, PhaseResponse)
    gain, read = truth.electrons_per_count, truth.read_noise_electrons / truth.electrons_per_count
    wrong = {tuple(p) for p in dark.hot_pixels} ^ {tuple(p) for p in np.argwhere(truth.hot)}
    # A phase that is common to a patch does nothing; the response is that of the last patch.
    phase = response.phase_by_grey_rad - truth.phase_by_grey_rad * truth.stroke_map[-1].mean()
    most, off = exposures(seed)
    return Found(
        gain_share=abs(camera.gain_electrons / gain - 1.0),
        gain_sigmas=abs(camera.gain_electrons - gain) / camera.gain_sigma_electrons,
        read_noise_share=abs(camera.read_noise_counts / read - 1.0),
        saturation_counts=abs(camera.saturation_counts - (2**12 - 1)),
        hot_pixels_wrong=len(wrong),
        phase_rms_rad=float(phase.std()),
        exposure_frames=most,
        exposures_off=off,
    )


def main() -> None:
    """Measure, then print one JSON line."""
    against = argparse.ArgumentParser(add_help=False)
    against.add_argument("--against", choices=["slmsuite"], help="beside a peer, on its simulator")
    arguments = options(__doc__, seeds=20, more=against)
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    if arguments.against:
        from calibration_peer import peer_claims

        claims = peer_claims(arguments.seeds, arguments.quick, console.print)
        finish("calibration against slmsuite", claims, arguments.json, quick=arguments.quick)
        return
    found = []
    for seed in range(1 if arguments.quick else arguments.seeds):
        found.append(one_bench(seed))
        console.print(found[-1])

    def worst(name: str) -> float:
        return float(max(getattr(f, name) for f in found))

    benches = f"{len(found)} benches, worst"
    claims = [
        claim(f"camera gain, {benches}: error, share", worst("gain_share"), "<= 0.02"),
        claim(f"read noise, {benches}: error, share", worst("read_noise_share"), "<= 0.05"),
        claim(f"saturation level, {benches}: error, counts", worst("saturation_counts"), "<= 0"),
        claim(f"hot pixels, {benches}: missed or invented", worst("hot_pixels_wrong"), "<= 0"),
        claim(f"phase response, {benches}: rms, rad", worst("phase_rms_rad"), "<= 0.015"),
        claim(f"exposure over six decades, {benches}: frames", worst("exposure_frames"), "<= 8"),
        claim("exposures outside 0.50 ... 0.55 of full scale", worst("exposures_off"), "<= 0"),
        claim(
            "gains within two stated deviations",
            float(np.mean([f.gain_sigmas <= 2.0 for f in found])),
            ">= 0.9",
        ),
    ]
    finish("calibration", claims, arguments.json, quick=arguments.quick)


if __name__ == "__main__":
    main()
