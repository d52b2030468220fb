"""The calibration routines as one job: measured or taken from the archive, archived, and resumed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

from calibration.archive import CalibrationArchive, Stored
from calibration.provenance import Provenance
from calibration.result import CalibrationError
from calibration.result_file import Result, ResultT
from drivers.errors import DeviceDisconnectedError
from labdiff.atomic_write import write_atomically
from labdiff.bench.frame_log import FrameLog
from labdiff.bench.frame_replay import RoutineRecording
from labdiff.calibrations.judgement import causes_named, judged
from labdiff.calibrations.names import ROUTINE_NAMES
from labdiff.calibrations.routine import Routine
from labdiff.calibrations.routines import IMAGING, PREDICTION, ROUTINES, routine
from labdiff.errors import UserError
from labdiff.events import Calibrated, StageStarted
from labdiff.job import Job
from labdiff.owner import Owner
from labdiff.session.calibrated_bench import CalibratedBench

RESUMED_WITHIN = timedelta(hours=1)
"""A bench that was left for longer may have moved in between two frames of one routine."""


def measure_routines(
    calibrated: CalibratedBench, names: Iterable[str] = (*IMAGING, *PREDICTION)
) -> Job[dict[str, Result]]:
    """Measure these routines in the given order and apply what they find; nothing is archived.

    Raises CalibrationError if one fails that is needed.
    """
    found: dict[str, Result] = {}
    for name in names:
        found[name] = yield from _measured(calibrated, routine(name))
    return found


def _measured(calibrated: CalibratedBench, what: Routine[Any]) -> Job[Result]:
    yield StageStarted(what.name, 1)
    calibrated.withdraw(what.name)
    with causes_named(calibrated, what.name):
        measured: Result = yield from what.measure(calibrated)
    result = judged(calibrated, measured)
    if result.verdict.level != "fail":
        what.apply(calibrated, result)
    yield Calibrated(what.name, result)
    if what.needed:
        result.verdict.require(what.name)
    return result


class ArchivedCalibration:
    """A calibration that is archived: its results, and its frames until there is a result.

    in_use: archive ids of the results that are in use, by routine; a resumed session knows them.
    """

    def __init__(
        self, calibrated: CalibratedBench, archive: CalibrationArchive, bench_text: str
    ) -> None:
        self.calibrated, self.archive = calibrated, archive
        self._digest = hashlib.sha256(bench_text.encode()).hexdigest()
        self._plan_file = archive.folder / "unfinished.json"
        self._frames_file = archive.folder / "unfinished.frames"
        self._owner: Owner | None = None
        self.in_use = calibrated.calibrations

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the archive while something is added to it. Raises UserError if another program does."""
        if self._owner is not None:
            yield
            return
        folder = self.archive.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{folder}: cannot be written: {error.strerror or error}") from None
        self._owner = Owner(folder / "archive", f"the calibrations in {folder}")
        try:
            yield
        finally:
            self._owner.release()
            self._owner = None

    def unfinished(self) -> tuple[str, ...]:
        """Return the plan that a crash has cut short; empty if there is none to resume."""
        left = self._left()
        return tuple(left["plan"]) if left else ()

    def _left(self) -> dict[str, Any] | None:
        """Return what a crash has left, if it is of this bench file and of the last hour."""
        try:
            left = json.loads(self._plan_file.read_text(encoding="utf-8"))
            late = datetime.now(UTC) - datetime.fromisoformat(left["touched_utc"]) > RESUMED_WITHIN
            fits = left["bench_sha256"] == self._digest and set(left["plan"]) <= set(ROUTINE_NAMES)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return left if fits and not late else None

    def forget_unfinished(self) -> None:
        """Forget what a crash has left. Raises UserError if another program is adding to the archive."""
        if not (self._plan_file.exists() or self._frames_file.exists()):
            return
        with self.owned():
            self._plan_file.unlink(missing_ok=True)
            self._frames_file.unlink(missing_ok=True)

    def any_stored(self) -> bool:
        """Return whether anything was measured earlier."""
        return any(self.archive.latest(name) is not None for name in ROUTINE_NAMES)

    def result_in_use(self, name: str) -> Result | None:
        """Return the newest valid result of a routine; None if none of it is in use."""
        stored = self.archive.latest(name) if name in self.in_use else None
        return None if stored is None else stored.result

    def apply_stored(self, names: Iterable[str]) -> None:
        """Apply what is archived of these routines, in their order."""
        wanted = set(names)
        for what in ROUTINES:
            if what.name not in wanted or not set(what.parents) <= set(self.in_use):
                continue
            stored = self.archive.latest(what.name)
            if stored is not None:
                what.apply(self.calibrated, stored.result)
                self.in_use[what.name] = stored.id

    def measure(self, plan: Iterable[str]) -> Job[dict[str, Result]]:
        """Measure these routines, in their order; what a crash left of the same plan is resumed.

        Raises CalibrationError if a routine fails that is needed, or if a result is missing on which one
        depends; UserError if another program is adding to the archive.
        """
        with self.owned():
            return (yield from self._measure(plan))

    def _measure(self, plan: Iterable[str]) -> Job[dict[str, Result]]:
        wanted = set(plan)
        names = [name for name in ROUTINE_NAMES if name in wanted]
        done: dict[str, str] = {}
        left = self._left()
        if left is not None and left["plan"] == names:
            done = left["done"]
        else:
            self.forget_unfinished()
        for name in names:
            self.in_use.pop(name, None)
            self.calibrated.withdraw(name)
        found: dict[str, Result] = {}
        for name in names:
            what = routine(name)
            self._require_parents(what)
            if name in done:
                stored = self.archive.read(self.archive.folder / f"{done[name]}.h5")
                if stored.good:
                    what.apply(self.calibrated, stored.result)
                found[name], self.in_use[name] = stored.result, stored.id
                yield Calibrated(name, stored.result)
                continue
            self._remember(names, done)
            found[name] = yield from self._archived(what)
            done[name] = self.in_use[name]
        self._plan_file.unlink(missing_ok=True)
        return found

    def measure_own(self, own: Routine[ResultT]) -> Job[ResultT]:
        """Measure a routine that is none of labdiff's, archive its result and apply it.

        Raises UserError if one of labdiff's has its name, and CalibrationError as `measure`.
        """
        if own.name in ROUTINE_NAMES:
            raise UserError(f"routine {own.name!r}: labdiff has one of that name; give another")
        with self.owned():
            self.forget_unfinished()
            self.calibrated.withdraw(own.name)
            self._require_parents(own)
            found: ResultT = yield from self._archived(own)
            return found

    def _require_parents(self, what: Routine[Any]) -> None:
        missing = [parent for parent in what.parents if parent not in self.in_use]
        if missing:
            raise CalibrationError(
                f"{what.name}: depends on {', '.join(missing)}, which is not archived; "
                "run labdiff calibrate --all"
            )

    def _archived(self, what: Routine[Any]) -> Job[Any]:
        """Measure one routine and archive its result, failed or not, before anything else.

        A routine that fails on frames from before and after an interruption is measured once more, whole:
        the bench may have moved in between.
        """
        while True:
            began_s = time.monotonic()
            with self.calibrated.bench.recording(FrameLog(self._frames_file)) as recording:
                yield StageStarted(what.name, 1)
                try:
                    with causes_named(self.calibrated, what.name):
                        measured: Result = yield from what.measure(self.calibrated)
                except DeviceDisconnectedError:
                    raise  # what was measured until then is good
                except CalibrationError:
                    recording.drop()
                    if not recording.from_log:
                        raise
                    continue
                except Exception:
                    # Answered by the same frames, it would fail again, whatever was repaired since.
                    recording.drop()
                    raise
                result = judged(self.calibrated, measured)
                if result.verdict.level == "fail" and recording.from_log:
                    recording.drop()
                    yield Calibrated(what.name, result)
                    continue
                provenance = self._provenance(what, time.monotonic() - began_s, recording)
                stored = self._stored(result, provenance)
                recording.finish()
            break
        self.in_use[what.name] = stored.id
        if result.verdict.level != "fail":
            what.apply(self.calibrated, result)
        elif what.needed:
            self._plan_file.unlink(missing_ok=True)
        yield Calibrated(what.name, result)
        if what.needed:
            result.verdict.require(what.name)
        return result

    def _stored(self, result: Result, provenance: Provenance) -> Stored:
        """Archive a result. Raises UserError if the archive cannot be written; the frames stay stored."""
        try:
            return self.archive.save(result, provenance)
        except OSError as error:
            raise UserError(
                f"{self.archive.folder}: cannot be written: {error.strerror or error}. The frames "
                "stay stored; free space, then run labdiff calibrate again."
            ) from None

    def _remember(self, plan: list[str], done: dict[str, str]) -> None:
        now = datetime.now(UTC).isoformat()
        left = {"touched_utc": now, "bench_sha256": self._digest, "plan": plan, "done": done}
        self.archive.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._plan_file, json.dumps(left).encode())

    def _provenance(
        self, what: Routine[Any], seconds: float, recording: RoutineRecording
    ) -> Provenance:
        bench, config = self.calibrated.bench, self.calibrated.config
        devices = {"slm": bench.slm.name, "camera": bench.camera.name, "laser": bench.laser.name}
        if bench.dmd is not None:
            devices["dmd"] = bench.dmd.name
        return Provenance(
            routine=what.name,
            taken_utc=datetime.now(UTC).isoformat(),
            frames=recording.frames,
            seconds=round(seconds, 3),
            resumed_frames=recording.from_log,
            devices=devices,
            settings={
                "wavelength_nm": config.source.wavelength_nm,
                "exposure_ms": bench.camera.exposure_ms,
                "power_mw": bench.laser.power_mw,
                "packing_step": float(bench.packing_step),
            },
            parents={parent: self.in_use[parent] for parent in self._parents(what)},
            bench_sha256=self._digest,
            versions={name: metadata.version(name) for name in ("labdiff", "numpy", "torch")},
            simulated=bench.simulated,
        )

    def _parents(self, what: Routine[Any]) -> tuple[str, ...]:
        """Return the routines whose results a routine starts from."""
        if not what.fits_twin:
            return what.parents
        contributed = (name for name in self.calibrated.contributions if name in self.in_use)
        return *what.parents, *contributed
