"""How true the twin that layers learn with is on steep patterns: one sample a pixel.

Random mock benches with every effect on, calibrated and aligned as the demo does it; then the twin of one
sample a pixel is refined on further frames, and has to predict frames of holograms, blazed gratings and
lenses, and the light of random pixels.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from benchmarks.calibrated import Calibrated, bench_file, calibrate, opened
from benchmarks.claims import Claim, claim
from benchmarks.parts import Outcome, Setting
from benchmarks.twin_checks.steep_patterns import KINDS, steep_patterns
from drivers.errors import TooMuchLightError
from labdiff.calibrations.probe_frames import (
    ProbeKind,
    measure_patterns,
    measure_probes,
    predicted,
)
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.sweep.bench_overrides import override_values
from twin.alignment_fit import Triples, fit_alignment
from twin.digital_twin import DigitalTwin
from twin.drift_tracking import track_drift
from twin.prior import data_sheet_prior

FIRST_SEED = 500
REFINED_ON: tuple[tuple[ProbeKind, float, int], ...] = (
    ("smooth", 2.0, 14),
    ("squares", 4, 8),
    ("blocks", 8, 14),
)
TRACKING = 4
"""Number of probes before each kind of pattern."""
DARKER, SHORTENINGS = 0.6, 12
"""Factor by which the exposure is made shorter after a saturated frame, and how often."""
MOCK_SAMPLES = 2
"""Samples a pixel and axis of the mock, as in the shipped bench file."""
LIGHT_ALONE = "1 px blocks"
"""The kind of pattern of which the sum of the light is compared alone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Steep:
    """Frames of one kind of pattern, a second frame of each, and probes from just before."""

    probes: Triples
    unseen: Triples
    again: Tensor


@dataclasses.dataclass(frozen=True, slots=True)
class SteepFrames:
    """What was measured of one bench: frames to refine with, and those of each kind of pattern."""

    refined_on: Triples
    kinds: dict[str, Steep]


@dataclasses.dataclass(frozen=True, slots=True)
class SteepFound:
    """The errors of one bench by kind: over the frames' own noise, and light predicted over measured."""

    over_noise: dict[str, float]
    light: dict[str, float]


def steep_frames(known: Calibrated, share: float, patterns: int) -> tuple[DigitalTwin, SteepFrames]:
    """Measure a calibrated bench; return its aligned twin, and the frames.

    Args:
        known: the bench.
        share: of the frames to refine with.
        patterns: of each kind.
    """
    with opened(known) as calibrated:
        parts = [
            measure_probes(calibrated, kind, strength, max(1, round(share * count)), 700 + i)
            for i, (kind, strength, count) in enumerate(REFINED_ON)
        ]
        kinds = {}
        for number, kind in enumerate(KINDS):
            probes = measure_probes(calibrated, "smooth", 2.0, TRACKING, 900 + number)
            shown = steep_patterns(calibrated, kind, patterns, 800 + number)
            pairs = [_twice(calibrated, i[None], p[None]) for i, p in zip(*shown, strict=True)]
            unseen = Triples.joined([first for first, _ in pairs])
            kinds[kind] = Steep(probes, unseen, torch.cat([second for _, second in pairs]))
        return calibrated.twin, SteepFrames(Triples.joined(parts), kinds)


def _twice(calibrated: CalibratedBench, inputs: Tensor, layers: Tensor) -> tuple[Triples, Tensor]:
    """Return a pattern's frame and a second one (1, h, w), exposed so that no pixel is saturated.

    Raises TooMuchLightError if pixels are saturated at the shortest exposure that is tried.
    """
    camera = calibrated.bench.camera
    calibrated_ms = camera.exposure_ms
    try:
        for _ in range(SHORTENINGS):
            try:
                first = measure_patterns(calibrated, inputs, layers)
                again = measure_patterns(calibrated, inputs, layers)
            except TooMuchLightError:
                camera.exposure_ms *= DARKER
                continue
            if first.valid is None and again.valid is None:
                return first, again.intensity
            camera.exposure_ms *= DARKER
        raise TooMuchLightError(f"pixels are saturated at {camera.exposure_ms:.3g} ms too")
    finally:
        camera.exposure_ms = calibrated_ms


def compare(twin: DigitalTwin, frames: SteepFrames, iterations: int) -> SteepFound:
    """Refine a twin on a bench's frames, and compare what it predicts of steep patterns.

    Args:
        twin: as it was aligned; it is refined.
        frames: of the bench.
        iterations: of the refinement.
    """
    blurs = (0.0,) * iterations
    for _ in fit_alignment(
        twin,
        frames.refined_on,
        blurs,
        prior=data_sheet_prior(twin, share=1e-5),
        damping=1e-3,
    ):
        pass
    over_noise, light = {}, {}
    for kind, steep in frames.kinds.items():
        track_drift(twin, steep.probes.inputs, steep.probes.phases, steep.probes.intensity)
        # The smooth patterns from just before give the unit of intensity.
        known = predicted(twin, steep.probes)
        unit = float(steep.probes.intensity.sum() / known.sum())
        seen, modelled = steep.unseen.intensity, predicted(twin, steep.unseen)
        light[kind] = float(unit * modelled.sum() / seen.sum())
        scaled = modelled * (modelled * seen).sum() / modelled.square().sum()
        noise = float((steep.again - seen).norm()) / 2**0.5
        over_noise[kind] = float((scaled - seen).norm()) / noise
    return SteepFound(over_noise, light)


def measure(setting: Setting) -> Outcome:
    """Calibrate random benches, refine their twins of one sample a pixel, and predict steep patterns."""
    # What happens within a pixel is what is asked: the mock follows it at every scale.
    text = override_values(bench_file(setting), {"mock.samples_per_pixel": MOCK_SAMPLES})
    share = setting.amount("share of the frames of a fit", smoke=0.1, quick=1.0, full=1.0)
    patterns = setting.amount("patterns of a kind", smoke=1, quick=4, full=8)
    iterations = setting.amount("iterations of a fit", smoke=1, quick=1, full=3)
    found = {}
    for seed in setting.benches(3):
        setting.say(f"bench {FIRST_SEED + seed} ...")
        known = calibrate(text, FIRST_SEED + seed)
        each = compare(*steep_frames(known, share, patterns), iterations)
        found[FIRST_SEED + seed] = each
        for kind, over in each.over_noise.items():
            setting.say(f"  {kind}: {over:.2f} x noise, light {each.light[kind]:.3f}")
    return Outcome(
        claims_of(list(found.values())),
        {"benches": {str(seed): dataclasses.asdict(each) for seed, each in found.items()}},
    )


def claims_of(found: list[SteepFound]) -> list[Claim]:
    """Return the claims about all benches."""
    claims = []
    worst = f"{len(found)} benches, worst"
    for kind in KINDS:
        if kind != LIGHT_ALONE:
            over = max(each.over_noise[kind] for each in found)
            claims.append(claim(f"{kind}, {worst}: over the frame's noise", over, "<= 1.3"))
        off = max(abs(each.light[kind] - 1.0) for each in found)
        claims.append(claim(f"{kind}, {worst}: absolute light off by", off, "<= 0.05"))
    return claims
