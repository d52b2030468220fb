"""Settling of panels that are slower, or faster, than the bench file declares, against the mock's truth."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from benchmarks.calibration_checks.timing import true_settle_ms
from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import laboratory_of
from benchmarks.parts import Outcome, Scale, Setting
from benchmarks.small_benches import calibrated_bench_text
from calibration.coarse_settling import CoarseSettling
from calibration.result import CalibrationError
from calibration.settling import SettlingFound
from drivers.errors import DeviceError
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import measure_routines
from labdiff.config.bench import bench_text, parse_bench
from labdiff.errors import UserError
from labdiff.job import run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.sweep.bench_overrides import override_values

RISE_FALL_MS = {
    1: (1.0, 1.0),
    10: (10.0, 10.0),
    60: (60.0, 80.0),
    150: (150.0, 180.0),
    500: (500.0, 500.0),
}
"""10-90 % times of a full step up and down, by the name of the panel."""
DECLARED_CRYSTAL_MS = 37.0
"""What the bench file declares for all of them: the simulated panel's own."""
FIRST_SEED, SEEDS = 500, 5
ROUTINES = (
    "dark level",
    "coarse settling",
    "registration",
    "exposure",
    "phase response",
    "settling",
)


@dataclass(frozen=True, slots=True)
class PanelFound:
    """What was found of a panel: errors as shares of the true settling time; failed: why it was not."""

    panel: int
    seed: int
    failed: str = ""
    coarse_share: float = float("nan")
    coarse_frames: int = 0
    settle_share: float = float("nan")
    level: str = ""


def measure(setting: Setting) -> Outcome:
    """Calibrate as far as settling benches whose file declares another time."""
    full_size = setting.scale is Scale.FULL and setting.seeds is None
    panels = setting.amount("panels", smoke=(10,), quick=(60,), full=tuple(RISE_FALL_MS))
    count = setting.seeds or setting.amount("seeds", smoke=1, quick=1, full=SEEDS)
    sizes = {"half": calibrated_bench_text()}
    if full_size:
        sizes["full"] = bench_text("mock")[1]
    else:
        setting.leave_out("slow panels: the shipped bench of four layers of 100 x 100")
    found: dict[str, list[PanelFound]] = {}
    for size, text in sizes.items():
        found[size] = []
        for panel in panels:
            for seed in range(FIRST_SEED, FIRST_SEED + count):
                found[size].append(one_panel(text, panel, seed))
                setting.say(f"{size} size: {found[size][-1]}")
    claims = [each for size, there in found.items() for each in claims_of(size, there)]
    figures = {size: [asdict(each) for each in there] for size, there in found.items()}
    return Outcome(claims, figures)


def one_panel(text: str, panel: int, seed: int) -> PanelFound:
    """Measure coarse and fine settling of one bench, with all routines that they depend on."""
    rise_ms, fall_ms = RISE_FALL_MS[panel]
    text = override_values(text, {"mock.slm.rise_ms": rise_ms, "mock.slm.fall_ms": fall_ms})
    options = f"[slm.options]\ncrystal_ms = {DECLARED_CRYSTAL_MS}\n\n[input]"
    config = parse_bench(
        re.sub(r"(?m)^\[input\]", options, text, count=1), "bench of the benchmark"
    )
    calibrated = CalibratedBench(config, open_bench(config, seed))
    try:
        with calibrated.bench as bench:
            lab = laboratory_of(bench)
            true_ms = true_settle_ms(lab)
            first = run(measure_routines(calibrated, ROUTINES[:1]))
            before = lab.camera.requests
            coarse = run(measure_routines(calibrated, ROUTINES[1:2]))
            frames = lab.camera.requests - before
            rest = run(measure_routines(calibrated, ROUTINES[2:]))
    except (CalibrationError, DeviceError, UserError) as error:
        return PanelFound(panel, seed, str(error))
    match {**first, **coarse, **rest}:
        case {"coarse settling": CoarseSettling() as early, "settling": SettlingFound() as late}:
            return PanelFound(
                panel,
                seed,
                "" if late.verdict.level != "fail" else late.verdict.reason,
                early.settle_ms / true_ms - 1.0,
                frames,
                late.settle_ms / true_ms - 1.0,
                late.verdict.level,
            )
    raise TypeError("no settling among what was found")


def claims_of(size: str, found: list[PanelFound]) -> list[Claim]:
    """Return the claims about benches of one size."""
    good = [each for each in found if not each.failed]
    benches = f"{len(found)} benches of {size} size, declared {DECLARED_CRYSTAL_MS:g} ms"
    claims = [claim(f"settling of {benches}: failed", len(found) - len(good), "<= 0")]
    if not good:
        return claims
    claims.append(
        claim(
            f"settling of {benches}, worst: error, share",
            max(abs(each.settle_share) for each in good),
            "<= 0.05",
        )
    )
    slow = [each for each in good if each.panel >= 60]
    fast = [each for each in good if each.panel < 60]
    if slow:
        claims.append(
            claim(
                f"coarse settling of {benches}, slower ones, worst: error, share",
                max(abs(each.coarse_share) for each in slow),
                "<= 0.1",
            )
        )
    if fast:
        claims.append(
            claim(
                f"coarse settling of {benches}, as fast as declared, most frames",
                max(each.coarse_frames for each in fast),
                "<= 16",
            )
        )
    return claims
