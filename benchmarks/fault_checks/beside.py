"""Two programs on one run, one calibration store, one sweep, one bench: nothing lost, one is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.children import ROOT, environment
from benchmarks.claims import Claim, claim
from benchmarks.fault_checks.beside_program import BENCH, HALF, ROWS, RUN, STORE, SWEEP
from benchmarks.fault_checks.small_runs import tiny_bench_text
from benchmarks.parts import Outcome, Setting
from calibration.archive import CalibrationArchive
from drivers.slm.slmpy_server import SlmPyServer
from labdiff.config.bench import bench_text
from labdiff.events import Checkpoint, TrainingStep
from labdiff.runs.reader import read_run
from labdiff.runs.recorder import Recorder
from tests.support.laser_server import LaserServer

TRIES = 50
REFUSED = re.compile(
    r"is in use by \S.* \(process (\d+) on \S+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)"
)
"""How the second program is told who holds what it wants."""
BEFORE = 5
"""Training steps that a run file has before it is resumed."""
PANEL, SENSOR = (144, 640), (256, 320)
BRIGHT, DARK = 900, 60
"""Counts of the camera with the laser on and off."""
SWEEP_FILE = """
bench = "tiny.toml"
[options]
layer_sets = 1
image_size = 4
batch = 2
[grid.options]
offline_steps = [1, 2]
"""


@dataclass(slots=True)
class Found:
    """What came of the tries at one thing. refused: second programs that were told who holds it."""

    tries: int = 0
    refused: int = 0
    whole: int = 0
    wrong: list[str] = field(default_factory=list)


class Program:
    """A second program, which is asked to take something."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fault_checks.beside_program"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.pid = self._process.pid

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    def say(self, *request: object) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self) -> tuple[bool, str]:
        """Return whether it owns what it wanted, and why not. Raises RuntimeError if it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a program ended by itself")
        owned, message = json.loads(line)
        return owned, message


def measure(setting: Setting) -> Outcome:
    """Let two programs take the same thing at the same moment."""
    tries = setting.amount(
        "tries at each of run, store, sweep, bench", smoke=1, quick=2, full=TRIES
    )
    claims: list[Claim] = []
    figures: dict[str, object] = {}
    with ExitStack() as stack:
        programs = [Program(), Program()]
        for program in programs:
            stack.callback(program.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = stack.enter_context(real_bench(folder / BENCH))
        for what in (RUN, STORE, SWEEP, BENCH):
            found = Found()
            for number in range(tries):
                place = (bench if what == BENCH else folder) / f"{what}{number}"
                attempt(what, place, programs, found)
            setting.say(f"{what}: {found.refused} of {found.tries} refused, {found.whole} whole")
            claims += [
                claim(
                    f"two programs on one {what}: second refused in words",
                    found.refused,
                    f">= {tries}",
                ),
                claim(f"two programs on one {what}: nothing lost", found.whole, f">= {tries}"),
            ]
            figures[what] = found.wrong
    return Outcome(claims, figures)


def attempt(what: str, place: Path, programs: list[Program], found: Found) -> None:
    """Let both programs take one thing; note what came of it.

    Args:
        what: run, store, sweep or bench.
        place: folder of its own.
        programs: the two.
        found: is added to.
    """
    prepare(what, place)
    for number, program in enumerate(programs):
        program.say(what, str(place), number)
    answers = [program.answer() for program in programs]
    found.tries += 1
    owners = [number for number, (owned, _) in enumerate(answers) if owned]
    messages = [message for owned, message in answers if not owned]
    for number in owners:
        while _works_on(programs[number]):  # in the middle of its work the other one tries again
            programs[1 - number].say(what, str(place), 1 - number)
            owned, message = programs[1 - number].answer()
            messages.append(message)
            while owned and _works_on(programs[1 - number]):
                pass
    named = [REFUSED.search(message) for message in messages]
    if len(owners) == 1 and all(n and int(n[1]) == programs[owners[0]].pid for n in named):
        found.refused += 1
    else:
        found.wrong.append(f"{len(owners)} owners; {messages}")
    problem = lost(what, place, owners[0] if owners else -1)
    found.whole += not problem
    if problem:
        found.wrong.append(problem)


def _works_on(program: Program) -> bool:
    """Let a program that owns something go on; return whether it waits in the middle of its work."""
    program.say("go")
    return program.answer()[1] == HALF


def prepare(what: str, place: Path) -> None:
    """Make what both programs want."""
    place.mkdir()
    if what == RUN:
        with Recorder(place / "run.h5", "", "{}", 0) as recorder:
            for step in range(BEFORE):
                recorder(TrainingStep("online", step, BEFORE, 7, 0.5))
            recorder(Checkpoint({}, {"stage": "online"}))
    elif what == SWEEP:
        (place / "tiny.toml").write_text(tiny_bench_text("slm_patch", []), encoding="utf-8")
        (place / "sweep.toml").write_text(SWEEP_FILE, encoding="utf-8")


def lost(what: str, place: Path, owner: int) -> str:
    """Return what is missing of the owner's work, or what is of another; "" if it is whole.

    Args:
        what: run, store, sweep or bench.
        place: its folder.
        owner: number of the program that had it.
    """
    parts = [path.name for path in place.rglob("*.part")]
    if parts:
        return f"left over: {parts}"
    if what == RUN:
        run = read_run(place / "run.h5")
        rows = run.columns["training"]["layer_set"].astype(int).tolist()
        if run.outcome != "completed" or rows != [7] * BEFORE + [owner] * ROWS:
            return f"run {run.outcome}, rows {rows}"
    elif what == STORE:
        stored = CalibrationArchive(place / "store").history("dark level")
        if len(stored) != 1:
            return f"{len(stored)} results"
    elif what == BENCH:
        run = read_run(place / "run.h5")
        steps = run.columns["training"]
        rows, means = steps["layer_set"].astype(int).tolist(), steps["twin_mse"].astype(float)
        if run.outcome != "completed" or rows != [owner] * ROWS:
            return f"run {run.outcome}, rows {rows}"
        if not np.all(means > (BRIGHT + DARK) / 2):
            return f"frames without light: {means.tolist()}"
    else:
        outcomes = [read_run(path).outcome for path in (place / "out").glob("trial-*.h5")]
        if outcomes != ["completed"] * 2:
            return f"trials {outcomes}"
    return ""


def _illuminate(folder: Path, on: bool) -> None:
    """Write what the camera sees: the same counts everywhere, with light or without."""
    pixels = Image.fromarray(np.full(SENSOR, BRIGHT if on else DARK, np.uint16))
    for name in ("a.png", "b.png"):
        working = folder.parent / f"{name}.part"
        pixels.save(working, format="PNG")
        working.replace(folder / name)


@contextmanager
def real_bench(folder: Path) -> Iterator[Path]:
    """Serve laser and SLM, and write a bench file of real drivers for them; yield its folder."""
    light = folder / "light"
    light.mkdir(parents=True)
    _illuminate(light, False)
    laser = LaserServer(on_switch=lambda on: _illuminate(light, on))
    stopped = threading.Event()
    slm = SlmPyServer(lambda grey: None, PANEL, port=0)
    serving = threading.Thread(target=slm.serve, args=(stopped.is_set,), daemon=True)
    serving.start()
    drivers = {
        "slm": f'driver = "slmpy"\naddress = "127.0.0.1:{slm.port}"',
        "camera": f'driver = "folder"\noptions.image_folder = "{light.as_posix()}"',
        "laser": f'driver = "scpi"\naddress = "{laser.address}"',
    }
    text = bench_text("mock")[1].split("# How the simulation")[0]
    for kind, lines in drivers.items():
        text = text.replace(f'[{kind}]\ndriver = "mock"', f"[{kind}]\n{lines}")
    (folder / "bench.toml").write_text(text, encoding="utf-8")
    try:
        yield folder
    finally:
        stopped.set()
        serving.join()
        slm.close()
        laser.close()
