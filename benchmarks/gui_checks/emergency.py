"""The emergency control: how soon the laser is dark, by its own log, whatever is open in the window."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice, product
from pathlib import Path
from statistics import median

from benchmarks.claims import claim
from benchmarks.gui_checks.hands import ROOT, Hands, hands
from benchmarks.gui_checks.line_laser_engine import ADDRESS
from benchmarks.gui_checks.session import needed
from benchmarks.parts import Outcome, Setting

ENGINE = "benchmarks.gui_checks.line_laser_engine:Engine"
WITHIN_S = 0.3
GIVEN_UP_S = 10.0
TRIES, QUICK_TRIES = 100, 12
HOWS = ("F12", "button")
STATES = ("idle", "job")


class Trial:
    """One window, its laser's log, and the hand that presses."""

    def __init__(self, person: Hands, log: Path) -> None:
        self.person, self._log = person, log
        # One that waits for orders: the start of a process is no part of what is measured.
        self._presser = subprocess.Popen(
            ["xdotool", "-"], stdin=subprocess.PIPE, env=person.environment
        )

    def run(self, state: str, name: str, how: str) -> float:
        """Return the seconds from the press until the laser had its OFF; infinity if it had none."""
        self._light(state)
        OPENERS[name](self.person)
        self._settle()
        if how == "button":
            left, top, width, height = self.person.seen()["safe_state"][:4]
            self.person.tool("mousemove", left + width // 2, top + height // 2, "sleep", 0.1)
        pressed_s = time.monotonic()
        self._press("key F12" if how == "F12" else "click 1")
        dark_s = self._first("off", pressed_s)
        self._tidy()
        return dark_s - pressed_s

    def close(self) -> None:
        """Let the hand go."""
        if self._presser.stdin is not None:
            self._presser.stdin.close()
        self._presser.wait()

    def _press(self, order: str) -> None:
        if self._presser.stdin is not None:
            self._presser.stdin.write(f"{order}\n".encode())
            self._presser.stdin.flush()

    def _light(self, state: str) -> None:
        begun_s = time.monotonic()
        if state == "job":
            self.person.key("ctrl+4")
            self.person.click("calibrate_all")
        else:
            self.person.click("emission")
        if self._first("on", begun_s, 60.0) == float("inf"):
            raise TimeoutError("the laser did not go on")

    def _first(self, word: str, after_s: float, patience_s: float = GIVEN_UP_S) -> float:
        while time.monotonic() < after_s + patience_s:
            for line in self._log.read_text(encoding="ascii").splitlines():
                when, _, what = line.partition(" ")
                if what == word and float(when) > after_s:
                    return float(when)
            time.sleep(0.02)
        return float("inf")

    def _settle(self) -> None:
        """Wait until the window shows what was opened, and has just written where its widgets are."""
        for _ in range(2):
            self.person.until(partial(self._wrote_after, self.person.written_s), "a sign of life")

    def _wrote_after(self, before_s: float) -> bool:
        return self.person.written_s > before_s

    def _tidy(self) -> None:
        """Close what is open, and wait until the bench rests."""
        self.person.key("Escape", "Escape")
        if "tour" in self.person.seen():
            self.person.click("tour_leave")
        self.person.until(lambda: not self.person.text("job_status"), "an end of the job", 120.0)
        self.person.until_text("bench_status", "laser off")


def _click(panel: str, *names: str, button: int = 1) -> Callable[[Hands], None]:
    def act(person: Hands) -> None:
        person.key(panel)
        for name in names[:-1]:
            person.click(name)
        if button == 1:
            person.click(names[-1])
            return
        person.until(lambda: names[-1] in person.seen(), names[-1])
        left, top, width, height = person.seen()[names[-1]][:4]
        person.tool("mousemove", left + width // 3, top + height // 2, "click", button)
        time.sleep(0.3)

    return act


def _curves(*names: str) -> Callable[[Hands], None]:
    def act(person: Hands) -> None:
        person.key("ctrl+5")
        if names[0] not in person.seen():
            person.click("train_options")  # in a narrow panel the options stand before the curves
        _click("ctrl+5", *names)(person)

    return act


def _key(*keys: str) -> Callable[[Hands], None]:
    return lambda person: person.key(*keys)


def _tour(person: Hands) -> None:
    person.key("alt+h")
    person.click("Tour")


def _raise_power(person: Hands) -> None:
    """Have a question open: the power of the mock laser, many times."""
    person.key("ctrl+1")
    person.write("laser_power", "0.1 mW")
    person.write("laser_power", "5 mW")


OPENERS: dict[str, Callable[[Hands], None]] = {
    "nothing": lambda _: None,
    "keys": _key("F1"),
    "tour": _tour,
    "View menu": _key("alt+v"),
    "Bench menu": _key("alt+b"),
    "Help menu": _key("alt+h"),
    **{f"panel {number}": _key(f"ctrl+{number}") for number in range(1, 9)},
    "load a pattern": _click("ctrl+3", "slm_tabs: File", "slm_load"),
    "layers": _click("ctrl+6", "generate_browse"),
    "folder of runs": _click("ctrl+7", "runs_browse"),
    "list": _click("ctrl+6", "generate_where"),
    "export menu": _curves("training_curves_export"),
    "export": _curves("training_curves_export", "training_curves_export_png"),
    "context menu": _click("ctrl+6", "generate_source", button=3),
    "number's context menu": _click("ctrl+6", "generate_count", button=3),
    "resume a run": _click("ctrl+5", "train_resume"),
    "raise the power?": _raise_power,
    "close?": _key("alt+F4"),
}
ONLY = {"raise the power?": "idle", "resume a run": "idle", "close?": "job"}


def trials(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield state, what is open, and how it is pressed, until there are enough."""
    every = [
        (state, name, how)
        for how, name, state in product(HOWS, OPENERS, STATES)
        if ONLY.get(name, state) == state
    ]
    step = max(len(every) // count, 1)
    return islice(cycle(every[::step]), count)


@contextmanager
def laser(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield address and log of a laser in a process of its own."""
    log = folder / "laser.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.gui_checks.laser_process", str(log)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield (process.stdout.readline().strip() if process.stdout else ""), log
    finally:
        process.terminate()
        process.wait()


def measure(count: int | None, setting: Setting) -> Outcome:
    """Press in every state and with everything open. count: of tries; None for as many as the scale has."""
    needed(setting)
    tries = count or setting.amount("tries", smoke=2, quick=QUICK_TRIES, full=TRIES)
    took_s: list[float] = []
    slow: list[str] = []
    with (
        tempfile.TemporaryDirectory() as place,
        laser(Path(place)) as (address, log),
        hands(Path(place)) as person,
    ):
        person.environment[ADDRESS] = address
        person.open("--no-tour", engine=ENGINE)
        person.write("bench", "mock")
        person.click("connect")
        person.until_text("bench_status", "laser off", 180.0)
        trial = Trial(person, log)
        try:
            for state, name, how in trials(tries):
                took_s.append(trial.run(state, name, how))
                setting.say(
                    f"emergency: {state}, {name} open, {how}: dark after {took_s[-1] * 1e3:.0f} ms"
                )
                if took_s[-1] > WITHIN_S:
                    slow.append(f"{state}, {name}, {how}: {took_s[-1]:.3f} s")
        finally:
            trial.close()
    within = sum(took <= WITHIN_S for took in took_s)
    claims = [
        claim("emergency: tries", len(took_s), f">= {tries}"),
        claim("emergency: dark within 300 ms (share)", within / len(took_s), ">= 1"),
    ]
    figures = {
        "within": f"{within} of {len(took_s)}",
        "median_ms": round(median(took_s) * 1e3, 1),
        "worst_ms": round(max(took_s) * 1e3, 1),
        "slow": slow,
    }
    return Outcome(claims, figures)
