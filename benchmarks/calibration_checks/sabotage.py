"""Benches on which something is wrong: each has to end in a word about it, or in a right result."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.calibration_checks.truth import check, laboratory, unseen_nrmse
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
from labdiff.session.training_session import TrainingSession
from mock_hardware.laboratory import MockLaboratory
from mock_hardware.light_path import LightPath

LARGEST_NRMSE = 0.15
Act = Callable[[MockLaboratory], None]


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What is wrong: keys of the bench file with other values, or an act on the room.

    during: the act happens after so many frames of this routine; at once if it is empty.
    """

    name: str
    keys: dict[str, Any] = field(default_factory=dict)
    act: Act | None = None
    during: str = ""
    after_frames: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """said: the failure, or the warnings, in the program's words. spoilt: what is wrong and not said."""

    name: str
    said: str
    spoilt: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """The one thing that must not be."""
        return bool(self.spoilt) and not self.said


def changed(**values: Any) -> Act:
    """Something in the room is put elsewhere: fields of its truth."""

    def act(lab: MockLaboratory) -> None:
        lab.world.truth = dataclasses.replace(
            lab.world.truth, **{k: v(lab) for k, v in values.items()}
        )
        lab.world.light_path = LightPath(lab.world.geometry, lab.world.settings, lab.world.truth)

    return act


def dead_rows(lab: MockLaboratory) -> None:
    """Four rows of the sensor, right through the image, tell nothing."""
    middle = lab.world.geometry.camera_shape[0] // 2
    lab.world.truth.dead[middle + 7 : middle + 11] = True


def dim(lab: MockLaboratory) -> None:
    """A neutral filter is left in the beam."""
    lab.laser.power_mw = 2e-5


SABOTAGES = (
    Sabotage("the interlock is open", {"script": ["laser_shut@1"]}),
    Sabotage("a beam block is left in", {"script": ["beam_blocked@1-"]}),
    Sabotage("far too dim", act=dim),
    Sabotage("a thousand times too bright", {"script": ["saturated@1-"]}),
    Sabotage("the camera looks beside the light", {"offset_px": 400.0}),
    Sabotage("the camera sees a part of the plane", {"offset_px": 70.0}),
    Sabotage("wrong monitor: the SLM never changes", {"script": ["slm_frozen@1-"]}),
    Sabotage("the SLM freezes in mid-run", {"script": ["slm_frozen@60-"]}),
    Sabotage("a phase response far from linear", {"lut_bend": 0.2, "stroke_spread": 0.5}),
    Sabotage(
        "the camera is moved during the registration",
        act=changed(camera_offset_px=lambda lab: lab.world.truth.camera_offset_px + 4.0),
        during="registration",
        after_frames=6,
    ),
    Sabotage(
        "the camera is moved during the alignment",
        act=changed(camera_offset_px=lambda lab: lab.world.truth.camera_offset_px + 4.0),
        during="alignment",
        after_frames=40,
    ),
    Sabotage(
        "the mirror is knocked during the alignment",
        act=changed(tilts_rad=lambda lab: lab.world.truth.tilts_rad + 1e-3),
        during="alignment",
        after_frames=40,
    ),
    Sabotage(
        "the mirror is knocked between registration and alignment",
        act=changed(tilts_rad=lambda lab: lab.world.truth.tilts_rad + 1e-3),
        during="phase response",
        after_frames=50,
    ),
    Sabotage("the power wanders", {"power": 0.3, "laser_minutes": 0.02}),
    Sabotage("rows of the camera are dead", act=dead_rows),
    Sabotage("one pixel in two hundred is defective", {"defects": 0.005}),
    Sabotage("12 bits in the upper end of 16", {"packing": "left"}),
    Sabotage("the mirror's edge clips the beam", {"mirror_edge": 0.6}),
    Sabotage("the beam is half a waist beside the patch", {"offset_um": 300.0}),
    Sabotage("the camera is out of focus", {"defocus_mm": 3.0}),
    Sabotage("stray light", {"pedestal": 0.35}),
    Sabotage("the SLM flickers", {"flicker": 0.1}),
    Sabotage(
        "the mirror stands a fifth further away than the bench file says",
        act=changed(z_gap_mm=lambda lab: 1.2 * lab.world.truth.z_gap_mm),
    ),
    Sabotage(
        "frames are dropped, doubled and torn", {"dropped": 0.02, "duplicated": 0.02, "torn": 0.02}
    ),
)


def sabotaged(what: Sabotage, seed: int) -> Outcome:
    """Calibrate such a bench and say how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        session = _open(what, Path(folder), seed)
    lab = laboratory(session)
    if what.act is not None and not what.during:
        what.act(lab)
    results: dict[str, Result] = {}
    said: list[str] = []

    def job() -> Job[float]:
        with session.calibrated.bench:
            for event in _watched(session, what, lab):
                if isinstance(event, Calibrated):
                    results[event.routine] = event.result
                    if event.result.verdict.level != "pass":
                        said.append(f"{event.routine}: {event.result.verdict.reason}")
                yield event
            return unseen_nrmse(session, drifted=True)

    try:
        nrmse = run(job())
    except (CalibrationError, DeviceError, UserError) as error:
        return Outcome(what.name, str(error), ())
    spoilt = [
        f"{name} off by {checked.error:.3g}"
        for name, checked in check(session, results).items()
        if checked.spoilt
    ]
    if not nrmse <= LARGEST_NRMSE:
        spoilt.append(f"unseen frames missed by {nrmse:.2f}")
    return Outcome(what.name, "; ".join(said), tuple(spoilt))


def _watched(session: TrainingSession, what: Sabotage, lab: MockLaboratory) -> Job[Any]:
    """The calibrations, with the act in the midst of them."""
    frames = 0
    stage = ""
    expose = lab.camera.expose

    def hooked() -> Any:
        nonlocal frames
        if what.act is not None and stage == what.during and frames == what.after_frames:
            what.act(lab)
        frames += 1
        return expose()

    if what.during:
        lab.camera.expose = hooked  # type: ignore[method-assign]
    for event in measure_routines(session.calibrated, ROUTINE_NAMES):
        if isinstance(event, StageStarted):
            stage, frames = event.stage, 0
        yield event
    return None


def _open(what: Sabotage, folder: Path, seed: int) -> TrainingSession:
    text = bench_text("mock")[1]
    for key, value in what.keys.items():
        shown = (
            str(value).replace("'", '"') if isinstance(value, list | float | int) else f'"{value}"'
        )
        text, count = re.subn(rf"(?m)^{key} = [^#\n]*", f"{key} = {shown} ", text)
        assert count == 1, key
    bench = folder / "bench.toml"
    bench.write_text(text, encoding="utf-8")
    options = TrainingOptions(seed=seed, offline_steps=0)
    return ExperimentJob(Request(str(bench), None, options)).session
