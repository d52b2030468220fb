"""How true the calibrated twin is: python benchmarks/twin_fidelity.py [--json] [--quick] [--seeds N].

Random mock benches with every effect on. Each is calibrated and aligned as the demo does it, then the
twin is refined at two samples a pixel on further frames, and has to predict frames of patterns that it
has never met. The bench drifts all the while; as in learning, some probes before each kind of pattern
tell where its angles have gone. An error is |frame - prediction| / |frame| on the output plane; the
frame's own noise is that of two frames of the same pattern. Only the comparison with hidden parameters
reads the truth. Part `steep` asks the same of the twin with one sample a pixel, on steep patterns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.calibrated import Calibrated, bench_file, calibrate, opened
from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import laboratory_of
from benchmarks.parts import Outcome, Part, Setting, parser, run_parts
from benchmarks.twin_checks import steep
from benchmarks.twin_checks.hidden_parameters import sigmas_off
from labdiff.calibrations.probe_frames import ProbeKind, measure_probes
from labdiff.config.training import TrainingOptions
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.loop import train
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import track_drift
from twin.prior import data_sheet_prior

REFINED_ON: tuple[tuple[ProbeKind, float, int], ...] = (
    ("smooth", 2.0, 14),
    ("squares", 4, 8),
    ("blocks", 8, 14),
)
TRACKING = 4
"""Number of probes before each kind of unseen pattern."""
STEEPEST = 0.06
"""Sine of the steepest light that the refined twin follows; the relay takes light up to 0.05."""
UNSEEN: dict[str, tuple[ProbeKind, float]] = {
    "8 px blocks": ("blocks", 8),
    "32 px blocks": ("blocks", 32),
    "smooth": ("smooth", 2.0),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Errors and noise of one bench by kind of pattern, before and after refinement, and more."""

    before: dict[str, float]
    after: dict[str, float]
    noise: dict[str, float]
    frames: int
    sigmas_off: dict[str, float]


def two_frames(
    session: TrainingSession, kind: str, count: int, seed: int
) -> tuple[Triples, Tensor]:
    """Return triples of patterns of one kind, and a second frame of every pattern."""
    if kind in UNSEEN:
        triples = measure_probes(session.calibrated, *UNSEEN[kind], count, seed)
    else:
        triples = trained_layers(session, count)
    again = [
        session.calibrated.measure(triples.inputs[i : i + 1], triples.phases[i])
        for i in range(len(triples.inputs))
    ]
    return triples, torch.cat(again)


def trained_layers(session: TrainingSession, count: int) -> Triples:
    """Measure layers that have learnt to denoise, with noisy images before them."""
    inputs, phases = [], []
    for number in range(count):
        layer_set = number % session.options.layer_sets
        x_t = draw_batch(session, "online", layer_set, -9).x_t
        written = session.calibrated.displayed(*session.odu.encode(x_t[:1], layer_set))
        inputs.append(written[0].detach())
        phases.append(written[1].detach()[None])
    answers = [session.calibrated.measure(i, p[0]) for i, p in zip(inputs, phases, strict=True)]
    return Triples(torch.cat(inputs), torch.cat(phases), torch.cat(answers))


def predicted(twin: DigitalTwin, triples: Triples) -> Tensor:
    """Return predictions (B, h, w) at the scale that fits best: the camera's unit is no parameter."""
    with torch.no_grad():
        intensity = torch.cat(
            [twin(triples.inputs[i : i + 1], triples.phases[i]) for i in range(len(triples.inputs))]
        )
    scale: Tensor = (intensity * triples.intensity).sum() / intensity.square().sum()
    return scale * intensity


def nrmse(got: Tensor, wanted: Tensor) -> float:
    """Return |got - wanted| / |wanted|."""
    return float((got - wanted).norm() / wanted.norm())


def refined(
    calibrated: CalibratedBench, triples: Triples, iterations: int
) -> tuple[DigitalTwin, Tensor]:
    """Return the aligned twin at two samples a pixel, fitted to these frames, and its covariance."""
    geometry = dataclasses.replace(calibrated.twin.geometry, samples=2, steepest=STEEPEST)
    fine = DigitalTwin(geometry)
    fine.load_alignment(calibrated.twin.state_dict())
    covariance = torch.zeros(0)
    blurs = (0.0,) * iterations
    prior = data_sheet_prior(fine, share=1e-5)
    for step in fit_alignment(fine, triples, blurs, prior=prior, damping=1e-3):
        covariance = step.covariance
    return fine, covariance


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """Training steps, share of the frames of a fit, patterns of a kind, and iterations of a fit."""

    steps: int
    frames_share: float
    patterns: int
    iterations: int


def one_bench(known: Calibrated, amounts: Amounts) -> Found:
    """Refine the twin of a calibrated bench, and predict the unseen."""
    options = TrainingOptions(
        seed=known.seed, offline_steps=0, calibrated_steps=amounts.steps, online_steps=0
    )
    with opened(known) as calibrated:
        session = TrainingSession.create(calibrated, options)
        camera, clock = laboratory_of(calibrated.bench).camera, calibrated.bench.clock
        before_requests = camera.requests
        run(train(session, "calibrated"))
        began_s = clock.now_s()
        parts = [
            measure_probes(
                calibrated, kind, strength, max(1, round(amounts.frames_share * count)), 700 + i
            )
            for i, (kind, strength, count) in enumerate(REFINED_ON)
        ]
        moment_s = (began_s + clock.now_s()) / 2.0
        fine, covariance = refined(calibrated, Triples.joined(parts), amounts.iterations)
        off = sigmas_off(known.config, fine, covariance, known.seed, moment_s)
        before, after, noise = {}, {}, {}
        frames = 0
        for number, kind in enumerate(("trained layers", *UNSEEN)):
            probes = measure_probes(calibrated, "smooth", 2.0, TRACKING, 900 + number)
            track_drift(fine, probes.inputs, probes.phases, probes.intensity)
            frames = known.frames + camera.requests - before_requests
            frames -= 2 * amounts.patterns * number
            unseen, again = two_frames(session, kind, amounts.patterns, 800 + number)
            before[kind] = nrmse(predicted(calibrated.twin, unseen), unseen.intensity)
            after[kind] = nrmse(predicted(fine, unseen), unseen.intensity)
            noise[kind] = nrmse(again, unseen.intensity) / 2**0.5
    return Found(before, after, noise, frames, off)


def measure(setting: Setting) -> Outcome:
    """Calibrate random benches, refine their twins, and predict the unseen."""
    text = bench_file(setting)
    amounts = Amounts(
        setting.amount("training steps on the twin", smoke=2, quick=30, full=200),
        setting.amount("share of the frames of a fit", smoke=0.1, quick=1.0, full=1.0),
        setting.amount("patterns of a kind", smoke=1, quick=5, full=5),
        setting.amount("iterations of a fit", smoke=1, quick=1, full=3),
    )
    found = []
    for seed in setting.benches(10):
        setting.say(f"bench {seed} ...")
        found.append(one_bench(calibrate(text, seed), amounts))
        for kind, error in found[-1].after.items():
            noise, before = found[-1].noise[kind], found[-1].before[kind]
            setting.say(f"  {kind}: {before:.3f} -> {error:.3f}, noise {noise:.3f}")
    return Outcome(claims_of(found), {"benches": [dataclasses.asdict(each) for each in found]})


def claims_of(found: list[Found]) -> list[Claim]:
    """Return the claims about all benches."""
    claims: list[Claim] = []
    benches = f"{len(found)} benches, worst"
    for kind in found[0].after:
        errors = [each.after[kind] for each in found]
        over = [each.after[kind] / each.noise[kind] for each in found]
        claims.append(claim(f"{kind}, {benches}: NRMSE", max(errors), "<= 0.08"))
        claims.append(claim(f"{kind}, {benches}: over the frame's noise", max(over), "<= 1.3"))
    off = [value for each in found for value in each.sigmas_off.values()]
    within = float(np.mean(np.array(off) <= 3.0))
    frames = max(each.frames for each in found)
    return [
        *claims,
        claim("parameters within three stated deviations", within, ">= 0.95"),
        claim("frames of one bench, calibration included", frames, "<= 500"),
    ]


PARTS: dict[str, Part] = {"fidelity": measure, "steep": steep.measure}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print one JSON line."""
    given = parser(__doc__, PARTS, seeds=True).parse_args(arguments)
    run_parts("twin_fidelity", PARTS, given)


if __name__ == "__main__":
    main()
