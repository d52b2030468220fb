"""How well the calibrations measure: python benchmarks/calibration.py [--json] [--quick] [--seeds N].

--against slmsuite measures ours beside slmsuite's own on its simulated devices instead.

Random mock benches with every effect on. Each routine runs as `labdiff calibrate` runs it, and what it
found is compared with the mock's hidden truth, which only this script reads. --part: healthy benches,
sabotaged ones, settling and beam, or kills alone.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, field

import numpy as np
from rich.console import Console

from benchmarks.calibration_checks.kills import killed
from benchmarks.calibration_checks.sabotage import SABOTAGES, sabotaged
from benchmarks.calibration_checks.timing import timing_and_beam, timing_claims
from benchmarks.calibration_checks.truth import Checked, check, laboratory, unseen_nrmse
from benchmarks.claims import Claim, claim, finish, parser
from benchmarks.mock_checks.benches import bench_geometry, lit
from calibration.camera import CameraFound
from calibration.dark import DarkLevel
from calibration.exposure import set_exposure
from calibration.result import CalibrationError
from drivers.errors import DeviceError
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.routines import IMAGING, PREDICTION
from labdiff.config.bench import load_bench
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Event
from labdiff.job import run
from labdiff.jobs.training_job import ExperimentJob, Request

DECADES = tuple(10.0 ** np.arange(-3, 4))
PARTS = ("benches", "refusals", "timing", "kills")
KILLS = 20


@dataclass(slots=True)
class Found:
    """Errors of one bench against its truth; refused: why a routine failed on this healthy bench."""

    refused: str = ""
    checked: dict[str, Checked] = field(default_factory=dict)
    saturation_counts: float = 0.0
    hot_pixels_wrong: int = 0
    nrmse: float = 0.0
    frames: int = 0
    exposure_frames: int = 0
    exposures_off: int = 0


def exposures(seed: int) -> tuple[int, int]:
    """Most frames that an exposure took over six decades, and how many ended outside 0.50 ... 0.55."""
    config = load_bench("mock")
    lab = lit(bench_geometry("mock"), config.mock, seed)
    lab.laser.power_mw = config.laser.power_mw

    def expose() -> tuple[float, int]:
        before = lab.camera.requests
        routine = set_exposure(lab.camera, lab.world.truth.pedestal_counts, laser=lab.laser)
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
    options = TrainingOptions(seed=seed, offline_steps=0)
    session = ExperimentJob(Request("mock", None, options)).session
    lab = laboratory(session)
    found = Found()

    def job() -> Generator[Event, None, None]:
        with session.calibrated.bench:
            results = yield from measure_routines(session.calibrated, IMAGING)
            results |= yield from measure_routines(session.calibrated, PREDICTION[:-1])
            began_s = lab.world.clock.now_s()
            results |= yield from measure_routines(session.calibrated, PREDICTION[-1:])
            found.frames = lab.camera.requests
            found.checked = check(session, results, (began_s + lab.world.clock.now_s()) / 2.0)
            found.nrmse = unseen_nrmse(session)
        dark, camera = results["dark level"], results["camera"]
        assert isinstance(dark, DarkLevel)
        assert isinstance(camera, CameraFound)
        hot = {tuple(place) for place in np.argwhere(lab.world.truth.hot)}
        found.hot_pixels_wrong = len({tuple(place) for place in dark.hot_pixels} ^ hot)
        found.saturation_counts = abs(camera.saturation_counts - (2**12 - 1))

    try:
        run(job())
    except (CalibrationError, DeviceError, UserError) as error:
        found.refused = str(error)
    found.exposure_frames, found.exposures_off = exposures(seed)
    return found


def of_benches(found: list[Found]) -> list[Claim]:
    """Claims about healthy benches."""
    good = [f for f in found if not f.refused]

    def worst(name: str) -> float:
        return float(max(abs(f.checked[name].error) for f in good))

    def most(name: str) -> float:
        return float(max(getattr(f, name) for f in found))

    benches = f"{len(found)} benches, worst"
    stated = [c for f in good for c in f.checked.values() if np.isfinite(c.sigma)]
    within = float(np.mean([abs(c.error) <= 2.0 * c.sigma for c in stated]))
    return [
        claim(f"camera gain, {benches}: error, share", worst("gain, share"), "<= 0.02"),
        claim(f"read noise, {benches}: error, share", worst("read noise, share"), "<= 0.05"),
        claim(f"saturation level, {benches}: error, counts", most("saturation_counts"), "<= 0"),
        claim(f"hot pixels, {benches}: missed or invented", most("hot_pixels_wrong"), "<= 0"),
        claim(f"phase response, {benches}: rms, rad", worst("phase response, rad"), "<= 0.015"),
        claim(f"exposure over six decades, {benches}: frames", most("exposure_frames"), "<= 8"),
        claim("exposures outside 0.50 ... 0.55 of full scale", most("exposures_off"), "<= 0"),
        claim(
            f"twin from the calibrations, before any refinement, {benches}: NRMSE of unseen frames",
            max(f.nrmse for f in good),
            "<= 0.15",
        ),
        claim(f"frames of all calibrations, {benches}", most("frames"), "<= 500"),
        claim("false refusals, of 100 benches", 100.0 * (1.0 - len(good) / len(found)), "<= 2"),
        claim("true values within two stated deviations: at least", within, ">= 0.90"),
        claim("true values within two stated deviations: at most", within, "<= 0.99"),
    ]


def main() -> None:
    """Measure, then print one JSON line."""
    options = parser(__doc__, seeds=20)
    options.add_argument("--part", choices=PARTS, help="this part alone")
    options.add_argument("--against", choices=["slmsuite"], help="beside a peer, on its simulator")
    arguments = options.parse_args()
    console = Console(stderr=True, quiet=arguments.json, highlight=False)
    if arguments.against:
        from benchmarks.calibration_checks.peer import peer_claims

        claims = peer_claims(arguments.seeds, arguments.quick, console.print)
        finish("calibration against slmsuite", claims, arguments.json, quick=arguments.quick)
        return
    parts = (arguments.part,) if arguments.part else PARTS[:1] if arguments.quick else PARTS
    claims = []
    details: dict[str, object] = {}
    if "benches" in parts:
        found = []
        for seed in range(1 if arguments.quick else arguments.seeds):
            found.append(one_bench(seed))
            console.print(f"bench {seed}: NRMSE {found[-1].nrmse:.3f} {found[-1].refused}")
        claims += of_benches(found)
        details["benches"] = [asdict(f) for f in found]
    if "refusals" in parts:
        outcomes = []
        for number, what in enumerate(SABOTAGES):
            outcomes.append(sabotaged(what, number))
            spoilt = "; ".join(outcomes[-1].spoilt)
            console.print(f"{what.name}: said {outcomes[-1].said!r}, spoilt {spoilt!r}")
        silent = sum(outcome.silent for outcome in outcomes)
        claims.append(
            claim(f"silent bad results on {len(outcomes)} sabotaged benches", silent, "<= 0")
        )
        details["sabotaged"] = [asdict(outcome) for outcome in outcomes]
    if "timing" in parts:
        timings = []
        for seed in range(arguments.seeds):
            timings.append(timing_and_beam(seed))
            console.print(f"settling and beam of bench {seed}: {timings[-1]}")
        claims += timing_claims(timings)
        details["timing"] = [asdict(f) for f in timings]
    if "kills" in parts:
        kills = killed(KILLS)
        claims += [
            claim(f"{kills.kills} kills: logged frames measured again", kills.repeated, "<= 0"),
            claim("damaged files", kills.unreadable, "<= 0"),
            claim(
                "killed calibrations that came to their end",
                kills.completed / kills.started,
                ">= 1",
            ),
        ]
        details["kills"] = asdict(kills)
    finish("calibration", claims, arguments.json, quick=arguments.quick, **details)


if __name__ == "__main__":
    main()
