"""The SLM window: every pixel, at every scale factor, on the right monitor, whoever dies."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import claim
from benchmarks.gui_checks.slm_owner import grey_levels, phases
from benchmarks.gui_checks.two_monitors import DESK, grab, missing, monitor, two_monitors
from benchmarks.parts import NotPossibleError, Outcome, Setting
from drivers.phase_quantiser import PhaseQuantiser

SHAPES = ((1200, 1920), (1024, 1272))
FACTORS = ("1", "1.5")
SEEDS, RATE_PATTERNS = (0, 1, 2), 300
LABDIFF = (sys.executable, "-m", "labdiff")


class Owner:
    """The program that drives the SLM."""

    def __init__(self, environment: dict[str, str], shape: tuple[int, int]) -> None:
        here = Path(__file__).resolve()
        path = [str(here.parents[2]), environment.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gui_checks.slm_owner", *map(str, shape)],
            env={**environment, "PYTHONPATH": ":".join(filter(None, path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> dict[str, Any]:
        """Return the program's next line; {"failed": message} if it ended instead."""
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline()
        if line:
            record: dict[str, Any] = json.loads(line)
            return record
        return {"failed": self._process.stderr.read().strip().splitlines()[-1]}

    def ask(self, what: str, number: int) -> dict[str, Any]:
        """Command the program to show something, and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {number}\n")
        self._process.stdin.flush()
        return self.answer()

    def kill(self) -> None:
        """Kill the program as a crash or the system would."""
        self._process.kill()
        self._process.communicate()


def measure(setting: Setting) -> Outcome:
    """Show patterns on the second of two monitors and compare every pixel.

    Raises:
        NotPossibleError: Xvfb, xrandr or ImageMagick's import is missing.
    """
    if missing():
        raise NotPossibleError(f"{', '.join(missing())} not installed")
    all_monitors = tuple(product(SHAPES, FACTORS))
    one_each = tuple(zip(SHAPES, reversed(FACTORS), strict=True))
    monitors = setting.amount(
        "slm: monitors", smoke=one_each[:1], quick=one_each, full=all_monitors
    )
    patterns = setting.amount(
        "slm: patterns of the rate",
        smoke=4,
        quick=RATE_PATTERNS // 5,
        full=RATE_PATTERNS,
    )
    wrong = desk = after_death = after_flat = compared = 0
    opened: list[dict[str, Any]] = []
    refused: list[str] = []
    rate: dict[str, Any] = {}
    for shape, factor in monitors:
        with two_monitors(shape, factor) as environment:
            owner = Owner(environment, shape)
            opened.append({"shape": shape, "factor": factor, **owner.answer()})
            before, _ = grab(environment, shape)
            for seed in SEEDS:
                for what in ("grey", "phase"):
                    owner.ask(what, seed)
                    elsewhere, panel = grab(environment, shape)
                    wrong += differing(panel, expected(what, shape, seed))
                    desk += int((elsewhere != before).any(-1).sum())
                    compared += panel.shape[0] * panel.shape[1]
            second = Owner(environment, shape)
            refused.append(second.answer().get("failed", ""))
            second.kill()
            if not rate:
                rate = owner.ask("rate", patterns)
                owner.ask("phase", SEEDS[-1])
            owner.kill()
            _, panel = grab(environment, shape)
            after_death += differing(panel, expected("phase", shape, SEEDS[-1]))
            command(environment, "slm", "flat")
            _, panel = grab(environment, shape)
            after_flat += differing(panel, np.zeros(shape, np.uint8))
            command(environment, "slm", "close")
    primary, left_over, unplugged = refusals()
    claims = [
        claim(f"SLM window: wrong pixels of {compared}, scale factors 1 and 1.5", wrong, "<= 0"),
        claim("SLM window: pixels changed on the primary monitor", desk, "<= 0"),
        claim("SLM window: wrong pixels after its program was killed", after_death, "<= 0"),
        claim("SLM window: pixels not flat after labdiff slm flat", after_flat, "<= 0"),
        claim(
            "SLM window: second programs let in",
            sum("in use by" not in words for words in refused),
            "<= 0",
        ),
        claim("SLM window: primary monitor accepted", float("primary" not in primary), "<= 0"),
        claim("SLM window: pixels left when its monitor was unplugged", left_over, "<= 0"),
        claim(
            "SLM window: unplugged and not reported", float("unplugged" not in unplugged), "<= 0"
        ),
        claim(
            "SLM window: ms from set_phase until 1920 x 1200 lie in the frame buffer (60 Hz: 16.7), median",
            rate["work_ms"]["50"],
            "<= 16.7",
        ),
    ]
    figures = {
        "opened": opened,
        "rate": rate,
        "messages": {"second": refused[0], "primary": primary, "unplugged": unplugged},
    }
    return Outcome(claims, figures)


def refusals() -> tuple[str, int, str]:
    """Return how the primary is refused, and pixels left and message when a monitor is unplugged."""
    shape = SHAPES[1]
    code = (
        "from drivers.slm.screen import Screen; "
        "from drivers.settings import SlmSettings; from drivers.slm.level_encoding import VideoOptions; "
        f"settings = SlmSettings(({DESK[0]}, {DESK[1]}), 8.0, 'desk', VideoOptions()); "
        "Screen.from_settings(settings)"
    )
    with two_monitors(shape, "1") as environment:
        primary = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stderr.strip()
        owner = Owner(environment, shape)
        owner.answer()
        before, _ = grab(environment, shape)
        owner.ask("grey", 1)
        monitor(environment, "--delmonitor", "panel")
        answer: dict[str, Any] = {}
        while "failed" not in answer:
            answer = owner.ask("grey", 1)
        owner.kill()
        desk, panel = grab(environment, shape)
        left_over = int(panel.any(-1).sum()) + beyond_window(before, desk)
    return primary.splitlines()[-1], left_over, str(answer["failed"])


def beyond_window(before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> int:
    """Count the pixels of the desk that show what neither it nor the closed program's window did."""
    return int(((after != before).any(-1) & after.any(-1)).sum())


def expected(what: str, shape: tuple[int, int], seed: int) -> np.ndarray[Any, Any]:
    """Return the grey levels that must be shown."""
    if what == "grey":
        return grey_levels(shape, seed)
    return PhaseQuantiser(8)(phases(shape, seed))


def differing(panel: np.ndarray[Any, Any], grey: np.ndarray[Any, Any]) -> int:
    """Count the pixels that are not that level in red, green and blue."""
    return int((panel != grey[..., None]).any(-1).sum())


def command(environment: dict[str, str], *words: str) -> None:
    """Run a labdiff command, as a person would."""
    subprocess.run([*LABDIFF, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
