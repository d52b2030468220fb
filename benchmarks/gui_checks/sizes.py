"""Sizes: on a small, a usual and a magnified screen nothing is cut, and nothing moves by itself."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.claims import claim
from benchmarks.gui_checks.hands import Hands, hands
from benchmarks.gui_checks.session import needed
from benchmarks.parts import Outcome, Setting
from gui.docks import LAYOUTS

LEAST_WIDGETS = 30
PANELS = range(1, 9)
MOVING = ("live_canvas", "log", "qt_", "tour")
"""Beginnings of names of widgets that scroll or show frames inside, and of Qt's own."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen of (width, height) px, and how much larger everything is on it."""

    width: int
    height: int
    magnified: float = 1.0

    @property
    def title(self) -> str:
        """Return size and magnification as text."""
        return f"{self.width} x {self.height}" + (
            f" at {self.magnified:g}x" if self.magnified != 1.0 else ""
        )


SCREENS = (Screen(1366, 768), Screen(1920, 1080), Screen(1920, 1080, 1.5))


def measure(setting: Setting) -> Outcome:
    """Compare every panel on every screen, before and after notices, lines of the log and frames."""
    needed(setting)
    outside: dict[str, list[str]] = {}
    moved: dict[str, list[str]] = {}
    seen: dict[str, int] = {}
    in_sight = 0
    screens = setting.amount("screens", smoke=SCREENS[:1], quick=SCREENS[:1], full=SCREENS)
    for screen in screens:
        with (
            tempfile.TemporaryDirectory() as place,
            hands(Path(place), f"{screen.width}x{screen.height}x24") as person,
        ):
            person.environment["QT_SCALE_FACTOR"] = f"{screen.magnified:g}"
            look = Look(person, screen)
            look.session()
            outside[screen.title], moved[screen.title] = look.outside, look.moved
            seen[screen.title] = len(look.compared)
            in_sight += sum(look.camera_seen.values())
            setting.say(
                f"sizes: {screen.title}: {len(look.compared)} widgets compared, {len(look.moved)} "
                f"moved, {len(look.outside)} outside or cut"
            )
    claims = [claim("sizes: fewest widgets compared", min(seen.values()), f">= {LEAST_WIDGETS}")]
    claims += [
        claim(
            "sizes: layouts that show camera and panel beside each other",
            in_sight / len(screens),
            f">= {len(LAYOUTS)}",
        )
    ]
    for screen in screens:
        name = screen.title
        claims += [
            claim(f"sizes: {name}: widgets outside or cut", len(outside[name]), "<= 0"),
            claim(f"sizes: {name}: widgets moved by themselves", len(moved[name]), "<= 0"),
        ]
    return Outcome(claims, {"outside": outside, "moved": moved, "compared": seen})


class Look:
    """What is seen of one window. outside, moved, compared: names of widgets.

    camera_seen: by layout, whether the camera stands beside another panel.
    """

    def __init__(self, person: Hands, screen: Screen) -> None:
        self.person, self._screen = person, screen
        self.outside: list[str] = []
        self.moved: list[str] = []
        self.compared: set[str] = set()
        self.camera_seen: dict[str, bool] = {}

    def session(self) -> None:
        """Open the window, look at all panels, connect, and cause what must move nothing."""
        self.person.open("--no-tour")
        self._walk("first start")
        self.person.key("ctrl+1")
        self.person.write("bench", "mock")
        self.person.click("connect")
        self.person.until_text("bench_status", "laser off", 180.0)
        self._walk("connected")
        self._layouts()
        self.person.key("ctrl+2")
        before = self._places()
        self.person.click("emission")
        self.person.until_text("bench_status", "laser on")
        self._compare("laser on", before)
        self.person.click("live")
        self.person.until_text("live_counters", "shown")
        time.sleep(2.0)
        self._compare("frames", before)
        self._enter("camera_exposure", "3.25")
        self.person.until_text("camera_exposure_actual", "is 3.25")
        self._enter("camera_exposure", "1e9")
        self.person.until(lambda: "refusal_note" in self.person.seen(), "the refusal")
        self._compare("a refusal and lines of the log", before)
        self.person.key("Escape")
        self._notice(before)

    def _layouts(self) -> None:
        """Bring up every layout, with live frames, and return to the first one."""
        for layout in (*LAYOUTS[1:], LAYOUTS[0]):
            self.person.key(f"ctrl+shift+{LAYOUTS.index(layout) + 1}")
            self._settle()
            seen = self.person.seen()
            # Any of the tabs: the one that was in front when the layout was left.
            beside = [f"{title.lower()}_panel" in seen for title in layout.columns[-1]]
            self.camera_seen[layout.name] = "live_canvas" in seen and any(beside)
            self.outside += [f"layout {layout.name}: {name}" for name in self._cut()]

    def _notice(self, before: Mapping[str, tuple[int, ...]]) -> None:
        """Have the bench's process die, which is noticed, and compare what stays."""
        self.person.key("ctrl+7")
        here = self._places()
        self._enter("runs_folder", "/nowhere/at/all")
        self.person.until(lambda: "notice" in self.person.seen(), "the notice")
        self._compare("a notice", here)
        self.person.click("notice_close")
        self.person.key("ctrl+2")
        self._compare("a notice and its end", before)

    def _enter(self, name: str, text: str) -> None:
        """Type a text into a field and press Return, so that the focus stays where it is."""
        self.person.click(name)
        self.person.key("ctrl+a")
        self.person.tool("type", "--delay", 20, text)
        self.person.key("Return")

    def _walk(self, when: str) -> None:
        for number in PANELS:
            self.person.key(f"ctrl+{number}")
            self._settle()
            self.outside += [f"{when}, panel {number}: {name}" for name in self._cut()]

    def _settle(self) -> None:
        for _ in range(2):
            self.person.until(partial(self._wrote_after, self.person.written_s), "a sign of life")

    def _wrote_after(self, before_s: float) -> bool:
        return self.person.written_s > before_s

    def _cut(self) -> Iterator[str]:
        """Yield widgets that reach beyond the screen, and buttons that have less room than their text."""
        for name, (left, top, width, height, *_) in self.person.seen().items():
            if (
                left < 0
                or top < 0
                or left + width > self._screen.width
                or top + height > self._screen.height
            ):
                yield name
        yield from self.person.cut()

    def _places(self) -> dict[str, tuple[int, ...]]:
        self._settle()
        found: dict[str, list[Any]] = self.person.seen()
        return {
            name: tuple(area[:4]) for name, area in found.items() if not name.startswith(MOVING)
        }

    def _compare(self, what: str, before: Mapping[str, tuple[int, ...]]) -> None:
        after = self._places()
        both = before.keys() & after.keys()
        self.compared |= both
        self.moved += [
            f"{what}: {n}: {before[n]} -> {after[n]}" for n in both if before[n] != after[n]
        ]
