"""Panels after a change of the bench, its death, the end of a job; figures of runs as in their files."""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path

from benchmarks.claims import claim
from benchmarks.gui_checks.hands import Hands, hands
from benchmarks.gui_checks.session import needed
from benchmarks.parts import Outcome, Setting
from benchmarks.posix_calls import KILL
from labdiff.config.bench import bench_text
from labdiff.events import JobEnded, Measured, TrainingStep
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder

FIRST, SECOND = "alpha bench", "beta bench"
PATIENCE_S = 180.0
NOT_OF_A_BENCH = ("log", "notice", "bench", "runs_", "option_", "generate_", "dock_")
"""Beginnings of names of what tells a history, or is chosen by the user."""
MARKS = (re.compile(FIRST), re.compile(r"\b7\.25 ms"), re.compile("measuring"))
"""Texts that only the first bench can have brought."""


def measure(setting: Setting) -> Outcome:
    """Use a bench with every panel, then change it, kill it, and end a job; read what is left."""
    needed(setting)
    with tempfile.TemporaryDirectory() as place, hands(Path(place)) as person:
        check = Check(person)
        check.recorded()
        check.session()
    claims = [claim(f"panels: {when}: texts of the old bench", n, "<= 0") for when, n in check.left]
    claims += [
        claim("panels: panels looked at", check.panels, ">= 8"),
        claim("panels: figures of the run list that are not the run file's", check.wrong, "<= 0"),
    ]
    return Outcome(claims, {"left": check.found})


class Check:
    """A session with two benches. left: how many old texts were seen, and when; found: these texts."""

    def __init__(self, person: Hands) -> None:
        self.person = person
        self.left: list[tuple[str, int]] = []
        self.found: dict[str, list[str]] = {}
        self.wrong, self.panels = 0, 0

    def recorded(self) -> None:
        """Write a run whose last batch says something else than its figures."""
        recorder = Recorder(self.person.folder / "runs" / "known" / "run.h5", "", "{}", 0)
        for step in range(4):
            recorder(TrainingStep("online", step, 4, 0, 7.7e-5, 7.7e-5, 0.3, wiener_mse=0.05))
        recorder(
            Measured(
                {"mse_wiener": 0.0327, "mse_online_bench": 0.0386, "discrepancy_after": 0.0125}
            )
        )
        recorder(JobEnded("completed", ""))

    def session(self) -> None:
        """Do everything, and look at all panels after each change."""
        person = self.person
        files = {name: self._bench_file(name) for name in (FIRST, SECOND)}
        person.open("--no-tour")
        self._run_list()
        self._use(files[FIRST])
        person.click("connect")
        person.until(lambda: person.text("bench_status") == "no bench", "the end", PATIENCE_S)
        self._look("after disconnecting")
        self._use(files[FIRST])
        os.kill(person.bench_pid(), KILL)
        person.until(lambda: "notice" in person.seen(), "the notice", PATIENCE_S)
        person.click("notice_close")
        self._look("after the bench's process was killed")
        self._connect(files[SECOND], SECOND)
        self._look("after another bench was connected")
        person.key("ctrl+4")
        person.click("calibrate_all")
        person.until_text("job_status", "calibration", PATIENCE_S)
        time.sleep(3.0)
        person.click("calibrate_stop")
        person.until(lambda: not person.text("job_status"), "the end of the job", PATIENCE_S)
        self._look("after the end of a job")

    def _use(self, file: Path) -> None:
        """Let every panel show something of a bench."""
        person = self.person
        self._connect(file, FIRST)
        person.write("camera_exposure", "7.25")
        person.until_text("camera_exposure_actual", "7.25")
        person.click("emission")
        person.until_text("bench_status", "laser on")
        person.key("ctrl+2")
        person.click("live")
        person.until_text("live_frame_state", "7.25")
        person.key("ctrl+3")
        person.click("slm_flat")
        person.until_text("slm_displayed_name", "flat")

    def _connect(self, file: Path, name: str) -> None:
        person = self.person
        person.key("ctrl+1")
        person.write("bench", str(file))
        person.click("connect")
        person.until_text("bench_status", f"{name}: laser off", PATIENCE_S)

    def _bench_file(self, name: str) -> Path:
        path = self.person.folder / f"{name.split()[0]}.toml"
        text = re.sub(r'^name = ".*"$', f'name = "{name}"', bench_text("mock")[1], flags=re.M)
        path.write_text(text, encoding="utf-8")
        return path

    def _look(self, when: str) -> None:
        """Read every panel, and note what is still there of the first bench."""
        old: list[str] = []
        seen = 0
        for number in range(1, 9):
            self.person.key(f"ctrl+{number}")
            written_s = self.person.written_s
            self.person.until(lambda: self.person.written_s > written_s, "a sign of life")  # noqa: B023
            seen += 1
            for name, entry in self.person.seen().items():
                if name.startswith(NOT_OF_A_BENCH) and name != "bench_status":
                    continue
                if any(mark.search(str(entry[5])) for mark in MARKS):
                    old.append(f"panel {number}, {name}: {entry[5]}")
        self.panels = max(self.panels, seen)
        self.left.append((when, len(old)))
        self.found[when] = old

    def _run_list(self) -> None:
        """Compare the row of the run with the figures of its file."""
        path = self.person.folder / "runs" / "known" / "run.h5"
        figures = read_run(path).figures
        self.person.key("ctrl+7")
        self.person.until_text("runs_table", "known", PATIENCE_S)
        cells = self.person.text("runs_table").split("\n")
        names = ("mse_online_bench", "mse_wiener", "discrepancy_after")
        self.wrong = sum(f"{figures[name]:.4g}" not in cells for name in names)
        self.wrong += any(cell.startswith("7.7") for cell in cells)
