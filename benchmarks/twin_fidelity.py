"""How true the calibrated twin is: python benchmarks/twin_fidelity.py [--json] [--quick] [--seeds N].

Random mock benches with every effect on. Each is calibrated and aligned as the demo does it, then the
twin is refined at two samples a pixel on further frames, and has to predict frames of patterns that it
has never met. The bench drifts all the while; as in learning, some probes before each kind of pattern
tell where its angles have gone. An error is |frame - prediction| / |frame| on the output plane; the
frame's own noise is that of two frames of the same pattern. Only the comparison with hidden parameters
reads the truth.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from torch import Tensor

from benchmarks.claims import Claim, claim, finish, options
from benchmarks.mock_checks.benches import bench_geometry
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.probe_frames import ProbeKind, measure_probes
from labdiff.config.bench import load_bench
from labdiff.config.training import TrainingOptions
from labdiff.events import Event
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.loop import train
from mock_hardware.drift import Drift
from mock_hardware.optics.cavity import CavityOptics
from mock_hardware.truth import draw_truth
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import track_drift
from twin.parameter_vector import load_parameter_vector, parameter_vector
from twin.prior import data_sheet_prior

Array = npt.NDArray[Any]
REFINED_ON: tuple[tuple[ProbeKind, float, int], ...] = (
    ("smooth", 2.0, 14),
    ("squares", 4, 8),
    ("blocks", 8, 14),
)
ITERATIONS = 3
TRACKING = 4
"""Probes before each kind of unseen pattern."""
STEEPEST = 0.06
"""The relay takes light up to a sine of 0.05."""
UNSEEN: dict[str, tuple[ProbeKind, float]] = {
    "8 px blocks": ("blocks", 8),
    "32 px blocks": ("blocks", 32),
    "smooth": ("smooth", 2.0),
}
EACH = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Of one bench: errors and noise by kind of pattern, before and after refinement, and more."""

    before: dict[str, float]
    after: dict[str, float]
    noise: dict[str, float]
    frames: int
    sigmas_off: dict[str, float]


def two_frames(session: TrainingSession, words: str, seed: int) -> tuple[Triples, Tensor]:
    """Triples of patterns of one kind, and a second frame of every pattern."""
    if words in UNSEEN:
        triples = measure_probes(session.calibrated, *UNSEEN[words], EACH, seed)
    else:
        triples = trained_layers(session)
    again = [
        session.calibrated.measure(triples.inputs[i : i + 1], triples.phases[i])
        for i in range(len(triples.inputs))
    ]
    return triples, torch.cat(again)


def trained_layers(session: TrainingSession) -> Triples:
    """Frames of layers that have learnt to denoise, with noisy images before them."""
    inputs, phases = [], []
    for number in range(EACH):
        layer_set = number % session.options.layer_sets
        x_t = draw_batch(session, "online", layer_set, -9).x_t
        written = session.calibrated.displayed(*session.odu.encode(x_t[:1], layer_set))
        inputs.append(written[0].detach())
        phases.append(written[1].detach()[None])
    answers = [session.calibrated.measure(i, p[0]) for i, p in zip(inputs, phases, strict=True)]
    return Triples(torch.cat(inputs), torch.cat(phases), torch.cat(answers))


def predicted(twin: DigitalTwin, triples: Triples) -> Tensor:
    """(B, h, w) with the scale that fits best: the camera's unit is no parameter of the twin."""
    with torch.no_grad():
        light = torch.cat(
            [twin(triples.inputs[i : i + 1], triples.phases[i]) for i in range(len(triples.inputs))]
        )
    scale: Tensor = (light * triples.intensity).sum() / light.square().sum()
    return scale * light


def nrmse(got: Tensor, wanted: Tensor) -> float:
    """|got - wanted| / |wanted|."""
    return float((got - wanted).norm() / wanted.norm())


def mean_angle_rad(field: Array, pitch_m: float, wavelength_m: float) -> Array:
    """Where light (h, w) goes on the whole, (x, y): its energy's mean sine."""
    rows, columns = (np.sum(np.conj(field) * np.gradient(field, axis=i)).imag for i in (0, 1))
    scale = wavelength_m / (2.0 * np.pi * pitch_m * np.sum(np.abs(field) ** 2))
    angle: Array = np.array([columns, rows]) * scale
    return angle


def refined(
    session: TrainingSession, triples: Triples, iterations: int
) -> tuple[DigitalTwin, Tensor]:
    """The aligned twin at two samples a pixel, fitted to these frames, and its covariance."""
    geometry = dataclasses.replace(session.calibrated.twin.geometry, samples=2, steepest=STEEPEST)
    fine = DigitalTwin(geometry)
    fine.load_alignment(session.calibrated.twin.state_dict())
    covariance = torch.zeros(0)
    blurs = (0.0,) * iterations
    prior = data_sheet_prior(fine, share=1e-5)
    for step in fit_alignment(fine, triples, blurs, prior=prior, damping=1e-3):
        covariance = step.covariance
    return fine, covariance


def sigmas_off(
    twin: DigitalTwin, covariance: Tensor, seed: int, moment_s: float
) -> dict[str, float]:
    """How many of their stated deviations the parameters that can be told apart are off the truth.

    moment_s: when the frames were taken; the angles have drifted until then.
    """
    geometry, dials = bench_geometry("mock"), load_bench("mock").mock
    truth = draw_truth(geometry, dials, seed)
    drifted = Drift(dials.drift, seed).at(moment_s)
    tilts_rad = truth.tilts_rad + drifted.mirror_rad
    # Higher modes with a phase of their own and a window's ghost turn the beam too: compared is where
    # the light goes as a whole, with all parameters that have a say in it.
    source = CavityOptics(geometry, truth, 2).alignment(drifted.beam_rad, np.zeros(2), 0.0).source
    pitch_m, wavelength_m = geometry.pixel_pitch_um * 1e-6 / 2.0, geometry.wavelength_nm * 1e-9
    theta = parameter_vector(twin)

    def direction_mrad(parameters: Tensor) -> Tensor:
        load_parameter_vector(twin, parameters)
        angle_rad = mean_angle_rad(twin.incident().numpy(), pitch_m, wavelength_m)
        return torch.from_numpy(1e3 * angle_rad).float()

    found_mrad = direction_mrad(theta)
    slopes = torch.stack(
        [
            (direction_mrad(theta + step) - found_mrad) / 0.01
            for step in 0.01 * torch.eye(len(theta))
        ]
    )
    load_parameter_vector(twin, theta)
    true_rad = mean_angle_rad(source, pitch_m, wavelength_m)
    beam_off = found_mrad.numpy() - 1e3 * true_rad
    beam_spread = (slopes.T @ covariance @ slopes).diagonal().clamp_min(0.0).sqrt()
    first: dict[str, int] = {}
    place = 0
    for name, parameter in twin.named_parameters():
        first[name], place = place, place + parameter.numel()
    off = {f"beam {axis}": float(beam_off[i] / beam_spread[i]) for i, axis in enumerate("xy")}
    # The last bounce's tilt is a shift of the image too; all others are what they are.
    tilts = (twin.planes_tilt_rad().detach().numpy() - tilts_rad)[1:-1] * 1e3
    for bounce, pair in enumerate(tilts):
        for axis, error in enumerate(pair):
            weights = torch.zeros(len(covariance))
            weights[first["d_alpha_mirror_mrad"] + axis] = 1.0
            weights[first["bounce_tilt_mrad"] + 2 * bounce + axis] = 1.0
            spread = float((weights @ covariance @ weights).clamp_min(0.0).sqrt())
            off[f"bounce {bounce + 1}{'xy'[axis]}"] = float(error) / spread
    gap_percent = 100.0 * (truth.z_gap_mm / geometry.z_gap_mm - 1.0)
    # The mock counts from the middle of the first sample to that of the last.
    first_px = 0.5 / dials.samples_per_pixel
    edge_px = first_px + truth.mirror_edge * (geometry.patch_shape[1] - 2.0 * first_px)
    dead = truth.dead_space * math.sqrt(truth.dead_space_reflectance) / (1.0 - truth.dead_space)
    for name, true in (
        ("z_gap_percent", gap_percent),
        ("crosstalk_px", truth.crosstalk_px),
        ("zero_order_percent", 100.0 * dead),
        ("mirror_edge_px", edge_px),
    ):
        spread = float(covariance[first[name], first[name]].sqrt())
        off[name] = (float(getattr(twin, name)) - true) / spread
    return {name: abs(value) for name, value in off.items()}


def one_bench(seed: int, quick: bool) -> Found:
    """Calibrate, refine, and predict the unseen."""
    steps = 60 if quick else 200
    options = TrainingOptions(seed=seed, offline_steps=0, calibrated_steps=steps, online_steps=0)
    request = Request("mock", None, options)
    session = ExperimentJob(request).session

    def job() -> Generator[Event, None, Found]:
        with session.calibrated.bench:
            yield from measure_routines(session.calibrated)
            yield from train(session, "calibrated")
            began_s = session.calibrated.bench.clock.now_s()
            parts = [
                measure_probes(session.calibrated, *what, 700 + i)
                for i, what in enumerate(REFINED_ON)
            ]
            moment_s = (began_s + session.calibrated.bench.clock.now_s()) / 2.0
            fine, covariance = refined(session, Triples.joined(parts), 1 if quick else ITERATIONS)
            off = sigmas_off(fine, covariance, seed, moment_s)
            before, after, noise = {}, {}, {}
            frames = 0
            for number, words in enumerate(("trained layers", *UNSEEN)):
                probes = measure_probes(session.calibrated, "smooth", 2.0, TRACKING, 900 + number)
                track_drift(fine, probes.inputs, probes.phases, probes.intensity)
                frames = session.calibrated.bench.camera.get_frame().sequence - 2 * EACH * number
                unseen, again = two_frames(session, words, 800 + number)
                before[words] = nrmse(predicted(session.calibrated.twin, unseen), unseen.intensity)
                after[words] = nrmse(predicted(fine, unseen), unseen.intensity)
                noise[words] = nrmse(again, unseen.intensity) / 2**0.5
        return Found(before, after, noise, frames, off)

    return run(job())


def main() -> None:
    """Measure, then print one JSON line."""
    arguments = options(__doc__, seeds=10)
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    found = []
    for seed in range(1 if arguments.quick else arguments.seeds):
        console.print(f"bench {seed} ...")
        found.append(one_bench(seed, arguments.quick))
        for words, error in found[-1].after.items():
            noise, before = found[-1].noise[words], found[-1].before[words]
            console.print(f"  {words}: {before:.3f} -> {error:.3f}, noise {noise:.3f}")
    claims: list[Claim] = []
    benches = f"{len(found)} benches, worst"
    for words in found[0].after:
        errors = [f.after[words] for f in found]
        over = [f.after[words] / f.noise[words] for f in found]
        claims.append(claim(f"{words}, {benches}: NRMSE", max(errors), "<= 0.08"))
        claims.append(claim(f"{words}, {benches}: over the frame's noise", max(over), "<= 1.3"))
    off = [value for f in found for value in f.sigmas_off.values()]
    within = float(np.mean(np.array(off) <= 3.0))
    claims.append(claim("parameters within three stated deviations", within, ">= 0.95"))
    claims.append(
        claim("frames of one bench, calibration included", max(f.frames for f in found), "<= 500")
    )
    details = [dataclasses.asdict(f) for f in found]
    finish("twin_fidelity", claims, arguments.json, benches=details)


if __name__ == "__main__":
    main()
