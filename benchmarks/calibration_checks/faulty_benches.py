"""Benches on which something is wrong: each has to end in a message that names its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.calibration_checks.sabotages import FAULTY_BENCHES, FaultyBench
from benchmarks.calibration_checks.truth import check, unseen_nrmse
from benchmarks.claims import Claim, claim
from benchmarks.mock_checks.benches import laboratory_of
from benchmarks.parts import Outcome, Scale, Setting
from benchmarks.small_benches import calibrated_bench_text
from calibration.result import CalibrationError, Verdict
from calibration.result_file import Result
from drivers.errors import DeviceError
from labdiff.bench.open import open_bench
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.routines import IMAGING, PREDICTION
from labdiff.config.bench import parse_bench
from labdiff.errors import UserError
from labdiff.events import Calibrated, StageStarted
from labdiff.job import Job, run
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.sweep.bench_overrides import override_values
from mock_hardware.laboratory import MockLaboratory

LARGEST_NRMSE = 0.15
FIRST_SEED = 500
"""Seeds below are for building."""
SMOKE = ("the interlock is open",)
QUICK = (*SMOKE, "a beam block is left in", "far too dim", "the camera looks beside the light")
"""Benches whose calibration ends early."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a calibration ended.

    reported: the failure, or the warnings, as the program has them. named: the causes that the last
    diagnosis names. causes: the true one, under each of its names. spoilt: what is wrong and not reported.
    acted: whether what is wrong came about before the calibration ended.
    """

    name: str
    seed: int
    reported: str
    named: tuple[str, ...]
    causes: tuple[str, ...]
    spoilt: tuple[str, ...]
    acted: bool = True

    @property
    def silent(self) -> bool:
        """Return whether something is wrong and nothing was reported."""
        return bool(self.spoilt) and not self.reported

    @property
    def found(self) -> bool:
        """Return whether the true cause is among those that are named."""
        return bool(set(self.named) & set(self.causes))


def measure(setting: Setting) -> Outcome:
    """Calibrate every faulty bench; each of another seed."""
    everything = tuple(each.name for each in FAULTY_BENCHES)
    chosen = {Scale.SMOKE: SMOKE, Scale.QUICK: QUICK}.get(setting.scale, everything)
    if chosen != everything:
        setting.leave_out(f"faulty benches: {len(chosen)} in place of {len(everything)}")
    ended = []
    for round_number in range(setting.seeds or 1):
        for number, faulty in enumerate(FAULTY_BENCHES):
            if faulty.name not in chosen:
                continue
            seed = FIRST_SEED + round_number * len(FAULTY_BENCHES) + number
            ended.append(calibrate_faulty(faulty, seed))
            last = ended[-1]
            setting.say(
                f"{faulty.name}: named {', '.join(last.named)!r}, reported {last.reported!r}, spoilt "
                f"{'; '.join(last.spoilt)!r}"
            )
    return Outcome(claims_of(ended), {"ended": [asdict(each) for each in ended]})


def claims_of(ended: Sequence[Ended]) -> list[Claim]:
    """Return the claims about faulty benches."""
    reported = [each for each in ended if each.reported and each.causes]
    share = sum(each.found for each in reported) / max(len(reported), 1)
    benches = f"{len(reported)} faulty benches with a message"
    return [
        claim(f"silent bad results on {len(ended)} faulty benches", _silent(ended), "<= 0"),
        claim(f"true cause among the two named, share of {benches}", share, ">= 0.85"),
        claim("benches that ended before anything was wrong", _too_soon(ended), "<= 0"),
    ]


def _silent(ended: Sequence[Ended]) -> int:
    return sum(each.silent for each in ended)


def _too_soon(ended: Sequence[Ended]) -> int:
    return sum(not each.acted for each in ended)


def calibrate_faulty(faulty: FaultyBench, seed: int) -> Ended:
    """Calibrate such a bench and return how it ended."""
    torch.set_num_threads(1)
    config = parse_bench(override_values(calibrated_bench_text(), faulty.keys), faulty.name)
    calibrated = CalibratedBench(config, open_bench(config, seed))
    lab = laboratory_of(calibrated.bench)
    act = _Act(faulty, lab)
    if not faulty.during:
        act()
    results: dict[str, Result] = {}
    reported: list[str] = []
    named: tuple[str, ...] = ()

    def note(verdict: Verdict) -> None:
        nonlocal named
        named = verdict.causes or named

    def job() -> Job[float]:
        with calibrated.bench:
            for event in _disturbed(calibrated, faulty, act):
                if isinstance(event, Calibrated):
                    results[event.routine] = event.result
                    note(event.result.verdict)
                    if event.result.verdict.level != "pass":
                        reported.append(f"{event.routine}: {event.result.verdict.reason}")
                yield event
            return unseen_nrmse(calibrated, drifted=True)

    spoilt: list[str] = []
    try:
        nrmse = run(job())
        spoilt = [
            f"{name} off by {checked.error:.3g}"
            for name, checked in check(calibrated, results).items()
            if checked.spoilt
        ]
        if not nrmse <= LARGEST_NRMSE:
            spoilt.append(f"unseen frames missed by {nrmse:.2f}")
    except (CalibrationError, DeviceError, UserError) as error:
        # What had been reported before is on the screen too.
        reported.append(str(error))
        if isinstance(error, CalibrationError) and error.verdict is not None:
            note(error.verdict)
    return Ended(
        faulty.name, seed, "; ".join(reported), named, faulty.causes, tuple(spoilt), act.done
    )


class _Act:
    """What is done to a laboratory. done: whether it was, or whether there is nothing to do."""

    def __init__(self, faulty: FaultyBench, lab: MockLaboratory) -> None:
        self._act, self.lab = faulty.act, lab
        self.done = faulty.act is None

    def __call__(self) -> None:
        if self._act is not None:
            self._act(self.lab)
        self.done = True


def _disturbed(calibrated: CalibratedBench, faulty: FaultyBench, act: _Act) -> Job[Any]:
    """Run the calibrations that training needs, with the act in the midst of them."""
    frames = 0
    stage = ""
    camera = act.lab.camera
    expose = camera.expose

    def hooked() -> Any:
        nonlocal frames
        if stage == faulty.during and frames == faulty.after_frames:
            act()
        frames += 1
        return expose()

    with patch.object(camera, "expose", hooked if faulty.during else expose):
        for event in measure_routines(calibrated, (*IMAGING, *PREDICTION)):
            if isinstance(event, StageStarted):
                stage, frames = event.stage, 0
            yield event
    return None
