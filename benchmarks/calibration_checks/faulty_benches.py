"""Benches on which something is wrong: each has to end in a message about it, or in a right result."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.calibration_checks.truth import check, unseen_nrmse
from benchmarks.claims import claim
from benchmarks.mock_checks.benches import laboratory_of
from benchmarks.parts import Outcome, Scale, Setting
from calibration.result import CalibrationError
from calibration.result_file import Result
from drivers.errors import DeviceError
from labdiff.calibrations.archived import measure_routines
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.config.bench import bench_text
from labdiff.config.training import TrainingOptions
from labdiff.errors import UserError
from labdiff.events import Calibrated, StageStarted
from labdiff.job import Job, run
from labdiff.jobs.training_job import ExperimentJob, Request
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.training_session import TrainingSession
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.lamp import Lamp
from mock_hardware.light_path import LightPath

LARGEST_NRMSE = 0.15
SMOKE = ("the interlock is open",)
QUICK = (*SMOKE, "a beam block is left in", "far too dim", "the camera looks beside the light")
"""Benches whose calibration ends early."""
Act = Callable[[MockLaboratory], None]


@dataclass(frozen=True, slots=True)
class FaultyBench:
    """What is wrong: keys of the bench file with other values, or an act on the laboratory.

    during: the act happens after so many frames of this routine; at once if it is empty. cause: words of
    which one has to stand in what is reported; without any the cause is not looked at.
    """

    name: str
    keys: dict[str, Any] = field(default_factory=dict)
    act: Act | None = None
    during: str = ""
    after_frames: int = 0
    cause: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a calibration ended.

    reported: the failure, or the warnings, as the program has them. spoilt: what is wrong and not reported.
    """

    name: str
    reported: str
    spoilt: tuple[str, ...]
    cause: tuple[str, ...] = ()

    @property
    def misattributed(self) -> bool:
        """Return whether something was reported, and not its cause."""
        named = any(word in self.reported for word in self.cause)
        return bool(self.reported and self.cause) and not named

    @property
    def silent(self) -> bool:
        """Return whether something is wrong and nothing was reported."""
        return bool(self.spoilt) and not self.reported


def changed(**values: Any) -> Act:
    """Return what changes fields of the laboratory's truth."""

    def act(lab: MockLaboratory) -> None:
        lab.world.truth = dataclasses.replace(
            lab.world.truth, **{k: v(lab) for k, v in values.items()}
        )
        lab.world.light_path = LightPath(lab.world.geometry, lab.world.settings, lab.world.truth)

    return act


def dead_rows(lab: MockLaboratory) -> None:
    """Make four rows of the sensor dead, right through the image."""
    middle = lab.world.geometry.camera_shape[0] // 2
    lab.world.truth.dead[middle + 7 : middle + 11] = True


def lamp_on(lab: MockLaboratory) -> None:
    """Switch a lamp on that fills 3 % of full scale."""
    lab.world.lamp = Lamp(0.03)


def gain_on(lab: MockLaboratory) -> None:
    """Switch the camera's automatic gain on."""
    lab.world.automatic_gain = 0.5


def brighter(lab: MockLaboratory) -> None:
    """Take a filter out of the beam: three times the light for which the exposure was set."""
    lab.world.laser_output.power_mw *= 3.0


def dim(lab: MockLaboratory) -> None:
    """Leave a neutral filter in the beam."""
    lab.laser.power_mw = 2e-5


AMBIENT, GAIN, POWER = ("ambient light",), ("gain",), ("power",)

FAULTY_BENCHES = (
    FaultyBench("the interlock is open", {"script": ["laser_shut@1"]}),
    FaultyBench("a beam block is left in", {"script": ["beam_blocked@1-"]}),
    FaultyBench("far too dim", act=dim),
    FaultyBench("a thousand times too bright", {"script": ["saturated@1-"]}),
    FaultyBench("the camera looks beside the light", {"offset_px": 400.0}),
    FaultyBench("the camera sees a part of the plane", {"offset_px": 70.0}),
    FaultyBench("wrong monitor: the SLM never changes", {"script": ["slm_frozen@1-"]}),
    FaultyBench("the SLM freezes in mid-run", {"script": ["slm_frozen@60-"]}),
    FaultyBench("a phase response far from linear", {"lut_bend": 0.2, "stroke_spread": 0.5}),
    FaultyBench(
        "the camera is moved during the registration",
        act=changed(camera_offset_px=lambda lab: lab.world.truth.camera_offset_px + 4.0),
        during="registration",
        after_frames=6,
    ),
    FaultyBench(
        "the camera is moved during the alignment",
        act=changed(camera_offset_px=lambda lab: lab.world.truth.camera_offset_px + 4.0),
        during="alignment",
        after_frames=40,
    ),
    FaultyBench(
        "the mirror is knocked during the alignment",
        act=changed(tilts_rad=lambda lab: lab.world.truth.tilts_rad + 1e-3),
        during="alignment",
        after_frames=40,
    ),
    FaultyBench(
        "the mirror is knocked between registration and alignment",
        act=changed(tilts_rad=lambda lab: lab.world.truth.tilts_rad + 1e-3),
        during="phase response",
        after_frames=50,
    ),
    FaultyBench("the power wanders", {"power": 0.3, "laser_minutes": 0.02}),
    FaultyBench("rows of the camera are dead", act=dead_rows),
    FaultyBench("one pixel in two hundred is defective", {"defects": 0.005}),
    FaultyBench("12 bits in the upper end of 16", {"packing": "left"}),
    FaultyBench("the mirror's edge clips the beam", {"mirror_edge": 0.6}),
    FaultyBench("the beam is half a waist beside the patch", {"offset_um": 300.0}),
    FaultyBench("the camera is out of focus", {"defocus_mm": 3.0}),
    FaultyBench("stray light", {"pedestal": 0.35}),
    FaultyBench("the SLM flickers", {"flicker": 0.1}),
    FaultyBench(
        "the mirror stands a fifth further away than the bench file says",
        act=changed(z_gap_mm=lambda lab: 1.2 * lab.world.truth.z_gap_mm),
    ),
    FaultyBench(
        "frames are dropped, doubled and torn", {"dropped": 0.02, "duplicated": 0.02, "torn": 0.02}
    ),
    FaultyBench("a lamp is on from the beginning", {"lamp": 0.03}, cause=AMBIENT),
    FaultyBench(
        "a lamp is switched on after the dark level", act=lamp_on, during="camera", cause=AMBIENT
    ),
    FaultyBench(
        "a lamp is switched on in mid-alignment",
        act=lamp_on,
        during="alignment",
        after_frames=40,
        cause=AMBIENT,
    ),
    FaultyBench("a lamp warms up", {"lamp": 0.03, "lamp_warm_up_s": 20.0}, cause=AMBIENT),
    FaultyBench("automatic gain", {"automatic_gain": 0.5}, cause=GAIN),
    FaultyBench(
        "automatic gain is switched on after the camera routine",
        act=gain_on,
        during="phase response",
        cause=GAIN,
    ),
    FaultyBench(
        "the power wanders by 10 % in seconds", {"power": 0.1, "laser_minutes": 0.05}, cause=POWER
    ),
    FaultyBench("the power wanders by 10 % in minutes", {"power": 0.1}, cause=POWER),
    FaultyBench("mode hops", {"mode_hop": 0.1, "mode_hop_s": 1.5}, cause=POWER),
    FaultyBench(
        "the light gets brighter than the exposure was set for",
        act=brighter,
        during="alignment",
        cause=("saturated", "power"),
    ),
)


def measure(setting: Setting) -> Outcome:
    """Calibrate every faulty bench."""
    everything = tuple(each.name for each in FAULTY_BENCHES)
    chosen = {Scale.SMOKE: SMOKE, Scale.QUICK: QUICK}.get(setting.scale, everything)
    if chosen != everything:
        setting.leave_out(f"faulty benches: {len(chosen)} in place of {len(everything)}")
    ended = []
    for number, faulty in enumerate(FAULTY_BENCHES):
        if faulty.name in chosen:
            ended.append(calibrate_faulty(faulty, number))
            spoilt = "; ".join(ended[-1].spoilt)
            setting.say(f"{faulty.name}: reported {ended[-1].reported!r}, spoilt {spoilt!r}")
    silent = sum(each.silent for each in ended)
    return Outcome(
        [
            claim(f"silent bad results on {len(ended)} faulty benches", silent, "<= 0"),
            claim("reported without the cause", sum(e.misattributed for e in ended), "<= 0"),
        ],
        {"ended": [asdict(each) for each in ended]},
    )


def calibrate_faulty(faulty: FaultyBench, seed: int) -> Ended:
    """Calibrate such a bench and return how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        session = _open(faulty, Path(folder), seed)
    calibrated = session.calibrated
    lab = laboratory_of(calibrated.bench)
    if faulty.act is not None and not faulty.during:
        faulty.act(lab)
    results: dict[str, Result] = {}
    reported: list[str] = []

    def job() -> Job[float]:
        with calibrated.bench:
            for event in _disturbed(calibrated, faulty, lab):
                if isinstance(event, Calibrated):
                    results[event.routine] = event.result
                    if event.result.verdict.level != "pass":
                        reported.append(f"{event.routine}: {event.result.verdict.reason}")
                yield event
            return unseen_nrmse(calibrated, drifted=True)

    try:
        nrmse = run(job())
    except (CalibrationError, DeviceError, UserError) as error:
        # What had been reported before is on the screen too.
        return Ended(faulty.name, "; ".join([*reported, str(error)]), (), faulty.cause)
    spoilt = [
        f"{name} off by {checked.error:.3g}"
        for name, checked in check(calibrated, results).items()
        if checked.spoilt
    ]
    if not nrmse <= LARGEST_NRMSE:
        spoilt.append(f"unseen frames missed by {nrmse:.2f}")
    return Ended(faulty.name, "; ".join(reported), tuple(spoilt), faulty.cause)


def _disturbed(calibrated: CalibratedBench, faulty: FaultyBench, lab: MockLaboratory) -> Job[Any]:
    """Run the calibrations, with the act in the midst of them."""
    frames = 0
    stage = ""
    expose = lab.camera.expose

    def hooked() -> Any:
        nonlocal frames
        if faulty.act is not None and stage == faulty.during and frames == faulty.after_frames:
            faulty.act(lab)
        frames += 1
        return expose()

    with patch.object(lab.camera, "expose", hooked if faulty.during else expose):
        for event in measure_routines(calibrated, ROUTINE_NAMES):
            if isinstance(event, StageStarted):
                stage, frames = event.stage, 0
            yield event
    return None


def _open(faulty: FaultyBench, folder: Path, seed: int) -> TrainingSession:
    text = bench_text("mock")[1]
    for key, value in faulty.keys.items():
        shown = (
            str(value).replace("'", '"') if isinstance(value, list | float | int) else f'"{value}"'
        )
        text, count = re.subn(rf"(?m)^{key} = [^#\n]*", f"{key} = {shown} ", text)
        if count != 1:
            raise ValueError(f"the shipped bench has no {key!r} any more")
    bench = folder / "bench.toml"
    bench.write_text(text, encoding="utf-8")
    options = TrainingOptions(seed=seed, offline_steps=0)
    return ExperimentJob(Request(str(bench), None, options)).session
