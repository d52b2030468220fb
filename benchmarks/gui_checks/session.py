"""A first session at the window, as a person has it: every step by mouse and keys, judged from outside."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.claims import claim
from benchmarks.gui_checks.hands import NEEDED, Hands, hands
from benchmarks.parts import NotPossibleError, Outcome, Setting
from labdiff.errors import UserError
from labdiff.runs.reader import RunFile, read_run

CALIBRATION_S, TRAINING_S, GENERATION_S = 1800.0, 60.0, 300.0
QUIET_S = 6.0
"""A pause of this length is three times as long as a recorder waits between two writings."""
FOREIGN = ("libtorch", "pypylon")
SIZE, PLACE = (1500, 960), (60, 50)


def measure(archive: Path | None, setting: Setting) -> Outcome:
    """Do every step of a session, and take its time. archive: of seed 0, to begin with."""
    needed(setting)
    say = setting.say
    with tempfile.TemporaryDirectory() as place, hands(Path(place)) as person:
        if archive is not None:
            shutil.copytree(archive, person.folder / "runs" / "calibration" / "mock-seed0")
        started, foreign = starts(person, say)
        session = Session(person, say)
        session.first()
        session.again()
    seconds = session.seconds
    claims = [claim(f"session: {name}", step, ">= 1") for name, step in session.steps.items()]
    claims += [
        claim("session: from the start to a window that answers (s)", min(started), "<= 2.5"),
        claim("session: libraries of torch and pypylon in the window's process", foreign, "<= 0"),
    ]
    figures = {"start_s": started, "seconds": seconds, "troubles": session.troubles}
    return Outcome(claims, figures)


def needed(setting: Setting) -> None:
    """Refuse what cannot be measured here: without a screen and hands, or in seconds.

    Raises:
        NotPossibleError: A program is missing, or only that the code runs is of interest.
    """
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise NotPossibleError(f"{', '.join(missing)} not installed")
    if setting.smoke:
        raise NotPossibleError("it calibrates and trains from the window, which takes minutes")


def starts(person: Hands, say: Callable[[str], None], times: int = 3) -> tuple[list[float], int]:
    """Return the seconds until a bare `labdiff gui` answers F1, and the number of unwanted libraries."""
    found, foreign = [], 0
    for _ in range(times):
        begun_s = time.perf_counter()
        window = subprocess.Popen(
            [sys.executable, "-m", "labdiff", "gui"], cwd=person.folder, env=person.environment
        )
        end_s = begun_s + 60.0
        while not person.tool("search", "--onlyvisible", "--name", "^Keyboard shortcuts$"):
            if person.tool("search", "--onlyvisible", "--name", "^labdiff$"):
                person.tool("key", "F1")
            if time.perf_counter() > end_s:
                raise TimeoutError("the window did not answer within a minute")
        found.append(round(time.perf_counter() - begun_s, 3))
        maps = Path(f"/proc/{window.pid}/maps").read_text()
        foreign = max(foreign, sum(name in maps for name in FOREIGN))
        window.terminate()
        window.wait()
        say(f"session: answers after {found[-1]:.2f} s")
    shutil.rmtree(Path(person.environment["XDG_CONFIG_HOME"]), ignore_errors=True)
    return found, foreign


class Session:
    """What was done, whether it came out, and how long it took."""

    def __init__(self, person: Hands, say: Callable[[str], None]) -> None:
        self.person, self._say = person, say
        self.steps: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.troubles: dict[str, str] = {}
        self.run = person.folder / "runs" / "gui-1" / "run.h5"
        self._geometry: list[str] = []

    def first(self) -> None:
        """Do everything from the first start to the last close."""
        self._step("opens, the tour is offered and left", self._open)
        self._step("connects the mock bench", self._connect)
        self._step("sets the exposure; the camera says so", self._expose)
        self._step("laser on", self._light)
        self._step("live frames on the screen", self._watch)
        self._step("calibrations brought up to date", self._calibrate)
        self._step("trains, and the run file grows", self._train)
        self._step("pauses: the run file rests", self._pause)
        self._step("goes on: the run file grows", self._go_on)
        self._step("the loss as a PNG", self._export)
        self._step("stops and keeps", self._stop)
        self._step("16 images on the twin", self._generate)
        self._step("closes with code 0", self._close)

    def again(self) -> None:
        """Start again, as on the next morning."""
        self._step("starts again, the place on the screen is back", self._reopen)
        self._step("a hidden panel is still hidden", self._hidden)
        self._step("the bench is back", self._bench)
        self._step("the run is back", self._back)
        self._step("closes again", self._close)

    def _step(self, name: str, act: Callable[[], bool]) -> None:
        begun_s = time.monotonic()
        try:
            done = act()
        except (TimeoutError, OSError, UserError, subprocess.SubprocessError, LookupError) as error:
            done = False
            self.troubles[name] = f"{type(error).__name__}: {error}"
        self.steps[name] = float(done)
        self.seconds[name] = round(time.monotonic() - begun_s, 1)
        self._say(f"session: {name}: {'yes' if done else 'NO'}, {self.seconds[name]} s")

    def _open(self) -> bool:
        self.person.open()
        self.person.until(lambda: "tour" in self.person.seen(), "the tour")
        self.person.click("tour_leave")
        self.person.until(lambda: "tour" not in self.person.seen(), "an end of the tour")
        return self.person.alive

    def _connect(self) -> bool:
        self.person.write("bench", "mock")
        self.person.click("connect")
        self.person.until_text("bench_status", "mock: laser off")
        return True

    def _expose(self) -> bool:
        self.person.write("camera_exposure", "3.2")
        self.person.until_text("camera_exposure_actual", "is 3.2")
        return "ms" in self.person.text("camera_exposure_actual")

    def _light(self) -> bool:
        self.person.click("emission")
        self.person.until_text("bench_status", "laser on")
        return True

    def _watch(self) -> bool:
        self.person.key("ctrl+2")
        self.person.click("live")
        self.person.until_text("live_counters", "shown")
        pictures = []
        for _ in range(3):
            pictures.append(self.person.picture("live_canvas").astype(float))
            time.sleep(0.5)
        lit = float(np.ptp(pictures[-1])) > 30.0
        moves = any(np.abs(pictures[0] - later).max() > 0.0 for later in pictures[1:])
        self.person.click("live")
        return lit and moves

    def _calibrate(self) -> bool:
        self.person.key("ctrl+4")
        self.person.click("calibrate_stale")
        self.person.until_text("job_status", "calibration")
        self.person.until_text("log", "calibration completed", CALIBRATION_S)
        return any((self.person.folder / "runs" / "calibration").rglob("*.h5"))

    def _train(self) -> bool:
        self.person.key("ctrl+5")
        self.person.click("preset_quick")
        self.person.click("train_start")
        self.person.until_text("job_status", "training running")
        end_s = time.monotonic() + TRAINING_S
        self.person.until(lambda: self._rows() > 0, "a first step in the run file", 600.0)
        seen = self._rows()
        self.person.until(
            lambda: time.monotonic() > end_s or self.person.text("job_status") == "",
            "a minute",
            2 * TRAINING_S,
        )
        return self._rows() > seen

    def _pause(self) -> bool:
        self.person.click("train_pause")
        self.person.until_text("job_status", "training paused")
        time.sleep(QUIET_S)
        seen = self._rows()
        time.sleep(QUIET_S)
        return self._rows() == seen

    def _go_on(self) -> bool:
        seen = self._rows()
        self.person.click("train_pause")
        self.person.until_text("job_status", "training running")
        self.person.until(lambda: self._rows() > seen, "another step in the run file", 120.0)
        return True

    def _export(self) -> bool:
        path = self.person.folder / "loss.png"
        self.person.click("training_curves_export")
        self.person.click("training_curves_export_png")
        self.person.until(lambda: "fileNameEdit" in self.person.seen(), "the file dialog")
        self.person.key("ctrl+a")
        self.person.tool("type", "--delay", 10, str(path))
        self.person.key("Return")
        self.person.until(path.is_file, "the picture")
        picture = Image.open(path)
        return picture.width >= 2000 and len(set(picture.convert("L").tobytes())) > 20

    def _stop(self) -> bool:
        if self.person.text("job_status"):
            self.person.click("train_stop")
        self.person.until(lambda: not self.person.text("job_status"), "the end", 120.0)
        return self._run().outcome in ("stopped", "completed")

    def _generate(self) -> bool:
        self.person.key("ctrl+6")
        self.person.write("generate_source", str(self.run))
        before = self.person.picture("generate_panel")
        self.person.click("generate_start")
        self.person.until_text("log", "generation completed", GENERATION_S)
        time.sleep(0.5)
        after = self.person.picture("generate_panel")
        return float(np.mean(before != after)) > 0.05

    def _close(self) -> bool:
        self.person.key("ctrl+1")
        number = self.person.tool("search", "--onlyvisible", "--name", "^labdiff$").split()[0]
        if not self._geometry:
            self.person.key("alt+v")
            self.person.click("Log")
            self.person.tool("windowsize", number, *SIZE)
            self.person.tool("windowmove", number, *PLACE)
            time.sleep(1.0)
            self._geometry = self.person.geometry()
        return self.person.close() == 0

    def _reopen(self) -> bool:
        self.person.open()
        return self.person.geometry() == self._geometry

    def _hidden(self) -> bool:
        return "log" not in self.person.seen()

    def _bench(self) -> bool:
        return self.person.text("bench") == "mock"

    def _back(self) -> bool:
        self.person.key("ctrl+7")
        self.person.until_text("run_page", self._run().outcome)
        return True

    def _run(self) -> RunFile:
        return read_run(self.run)

    def _rows(self) -> int:
        """Return the number of steps in the run file."""
        try:
            columns = self._run().columns
        except (UserError, OSError):
            return 0
        tables = [columns.get(kind, {}) for kind in ("training", "alignment")]
        return sum(len(next(iter(table.values()), ())) for table in tables)
