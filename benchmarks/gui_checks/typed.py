"""Typed numbers: what is sent is what was meant, or nothing is sent, in every locale and every field."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.claims import claim
from benchmarks.gui_checks.hands import Hands, hands
from benchmarks.gui_checks.session import needed
from benchmarks.parts import Outcome, Setting

LOCALES = ("C", "de_DE.UTF-8", "fr_FR.UTF-8")
ANSWER_S = 5.0
"""Time in which a text that was entered is taken or refused."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of numbers: how to come to it, values within its limits and above them, and its units.

    smaller: a unit in which its number is a thousand times as large; "" if there is none. whole: whether it
    counts. device: whether what it sends goes to a device, and so to the engine. kind: of the test pattern
    that has it. scrolled: name of the area that is scrolled until it is seen.
    """

    name: str
    keys: str
    value: float
    above: float
    unit: str
    smaller: str = ""
    whole: bool = False
    device: bool = False
    kind: str = ""
    scrolled: str = ""


UP, DOWN = 4, 5
"""Buttons of the mouse that are its wheel."""
MOST_TURNS = 30
"""Number of turns of the wheel after which a form has been scrolled to its end."""
FIELDS = (
    Field("camera_exposure", "ctrl+1", 2.5, 1e9, "ms", "us", device=True),
    Field("laser_power", "ctrl+1", 8.5, 1e9, "mW", "uW", device=True),
    Field("slm_blaze_period", "ctrl+3", 12.5, 1e9, "px", kind="Blaze"),
    Field("slm_blaze_angle", "ctrl+3", 12.5, 1e9, "°", kind="Blaze"),
    Field("generate_count", "ctrl+6", 12, 1e9, "images", whole=True),
    Field("generate_seed", "ctrl+6", 40, 1e12, "", whole=True),
    Field("live_level_high", "ctrl+2", 200, 1e9, "counts", whole=True),
    Field("option_learning_rate", "ctrl+5", 0.25, 1e9, "rad a step", scrolled="training_options"),
    Field("option_image_size", "ctrl+5", 12, 1e12, "", whole=True, scrolled="training_options"),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A text, and what it means: a number, or None where nothing is to be sent."""

    kind: str
    text: str
    meant: float | None


def writings(field: Field) -> list[Typed]:
    """Return 15 kinds of writing of values that differ a little, so that each has to be sent."""
    step = 1.0 if field.whole else field.value / 100.0
    values = (field.value + step * place for place in count(1))
    plain = [f"{next(values):.6g}" for _ in range(8)]
    numbers = [float(text) for text in plain]
    unit = field.unit or ""
    whole = field.whole
    return [
        Typed("point", plain[0], numbers[0]),
        Typed("comma", plain[1].replace(".", ","), numbers[1]),
        Typed("exponent", f"{numbers[2] * 10:.6g}e-1", numbers[2]),
        Typed(
            "exponent with a comma", f"{numbers[3] / 10:.6g}".replace(".", ",") + "E1", numbers[3]
        )
        if not whole
        else Typed("tenth", f"{int(numbers[3])},5", None),
        Typed("unit", f"{plain[4]} {unit}", numbers[4]),
        Typed("unit without a blank", f"{plain[5]}{unit}".replace(".", ","), numbers[5]),
        Typed("another unit", f"{numbers[6] * 1000.0:.10g} {field.smaller}", numbers[6])
        if field.smaller
        else Typed("sign", f"+{plain[6]}", numbers[6]),
        Typed("blanks", f"  {plain[7]}  ", numbers[7]),
        Typed("above the limits", f"{field.above:.6g}", None),
        Typed("below the limits", "-1e6", None),
        Typed("two separators", "1.000,5", None),
        Typed("groups", "1 000", None),
        Typed("foreign unit", "2.5 kg", None),
        Typed("word", "five", None),
        Typed("nothing", "", None),
    ]


class Typist:
    """A hand at one window, and the log of what its fields have sent."""

    def __init__(self, person: Hands, log: Path) -> None:
        self.person, self._log = person, log
        self._read = 0

    def reach(self, field: Field) -> None:
        """Bring a field into view."""
        self.person.key(field.keys)
        if field.kind:
            self.person.until(lambda: "slm_test_kind" in self.person.seen(), "the patterns")
        if field.scrolled:
            self._scroll_to(field)
        self.person.until(lambda: field.name in self.person.seen(), field.name)

    def _scroll_to(self, field: Field) -> None:
        """Scroll an area from its top until a field is seen."""
        left, top, _, height = self.person.seen()[field.scrolled][:4]
        # Beside the fields, which the wheel would turn.
        self.person.tool("mousemove", left + 4, top + height // 2)
        self.person.tool("click", "--repeat", 2 * MOST_TURNS, UP)
        for _ in range(MOST_TURNS):
            time.sleep(0.3)
            if field.name in self.person.seen():
                return
            self.person.tool("click", "--repeat", 2, DOWN)

    def enter(self, field: Field, text: str) -> dict[str, Any]:
        """Type a text into a field and press Return; return what the window says of it."""
        left, top, width, height = self.person.seen()[field.name][:4]
        x, y = left + min(width // 3, 30), top + height // 2
        self.person.tool("mousemove", x, y, "click", 1, "key", "ctrl+a", "key", "Delete")
        self._news()
        if text:
            self.person.tool("type", "--delay", 8, "--", text)
        self.person.tool("key", "Return")
        end_s = time.monotonic() + ANSWER_S
        while time.monotonic() < end_s:
            for line in self._news():
                if line["name"] == field.name:
                    return line
            time.sleep(0.02)
        return {"sent": None, "commands": [], "refused": False, "text": ""}

    def _news(self) -> list[dict[str, Any]]:
        """Return the lines that were written since the last look."""
        if not self._log.exists():
            return []
        lines = self._log.read_text(encoding="utf-8").splitlines(keepends=True)
        fresh = [json.loads(line) for line in lines[self._read :] if line.endswith("\n")]
        self._read += len(fresh)
        return fresh


def right(field: Field, typed: Typed, answer: dict[str, Any]) -> bool:
    """Return whether exactly what was meant was sent, or nothing where it is not clear what was."""
    expected = [] if typed.meant is None else [typed.meant]
    sent, commands = answer["sent"], answer["commands"]
    if sent is None or len(sent) != len(expected):
        return False
    same = all(abs(a - b) <= 1e-9 * abs(b) for a, b in zip(sent, expected, strict=True))
    to_engine = sent if field.device else []
    stays = typed.meant is not None or (answer["refused"] and answer["text"] == typed.text)
    return same and commands == to_engine and stays


def measure(setting: Setting) -> Outcome:
    """Type every kind of writing into every field in every locale."""
    needed(setting)
    wrong: list[str] = []
    total = meant = 0
    for locale in setting.amount("locales", smoke=LOCALES[:1], quick=LOCALES[1:2], full=LOCALES):
        with tempfile.TemporaryDirectory() as place, hands(Path(place)) as person:
            person.environment["LC_ALL"] = locale
            for field, typed, answer in typed_in(person, Path(place) / "typed.log", setting.say):
                total += 1
                meant += typed.meant is not None
                if not right(field, typed, answer):
                    wrong.append(f"{locale}, {field.name}, {typed.kind}, '{typed.text}': {answer}")
    claims = [
        claim("typed: texts entered", total, f">= {min(total, 400)}"),
        claim(
            "typed: what was meant is sent, else nothing (share)", 1 - len(wrong) / total, ">= 1"
        ),
    ]
    return Outcome(
        claims, {"right": f"{total - len(wrong)} of {total}", "meant": meant, "wrong": wrong}
    )


def typed_in(
    person: Hands, log: Path, say: Callable[[str], None]
) -> Iterator[tuple[Field, Typed, dict[str, Any]]]:
    """Open a window, connect the mock bench, and yield each text and what the window says of it."""
    person.open("--no-tour", engine=str(log), program="typed_window")
    person.write("bench", "mock")
    person.click("connect")
    person.until_text("bench_status", "laser off", 180.0)
    person.key("super+Up")
    typist = Typist(person, log)
    for field in FIELDS:
        typist.reach(field)
        for typed in writings(field):
            yield field, typed, typist.enter(field, typed.text)
        say(f"typed: {person.environment['LC_ALL']}, {field.name}")
