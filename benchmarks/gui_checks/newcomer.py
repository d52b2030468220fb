"""A newcomer at the first start: who does what the tour says, no more, has digits within a minute."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.claims import claim
from benchmarks.gui_checks.hands import Hands, hands
from benchmarks.gui_checks.session import needed
from benchmarks.parts import Outcome, Setting

WITHIN_S = 60.0
PATIENCE_S = 180.0
SCREEN = "1366x768x24"
BRIGHT = 200
"""Grey level of a pixel of a digit's stroke, 0 ... 255."""


def measure(setting: Setting) -> Outcome:
    """Start the window for the first time, follow the tour's first note, and look at the images."""
    needed(setting)
    seconds = []
    for _ in range(setting.amount("starts", smoke=1, quick=1, full=2)):
        with tempfile.TemporaryDirectory() as place, hands(Path(place), SCREEN) as person:
            newcomer = Newcomer(person)
            newcomer.follow()
            seconds.append(newcomer.seconds)
            setting.say(
                f"newcomer: digits after {newcomer.seconds:.1f} s, pressed {newcomer.pressed}, "
                f"{newcomer.bright:.1%} of the images' pixels bright, bench: {newcomer.bench!r}"
            )
            found = newcomer
    claims = [
        claim("newcomer: from the open window to digits (s)", max(seconds), f"<= {WITHIN_S:g}"),
        claim(
            "newcomer: buttons that the tour names and that were pressed",
            len(found.pressed),
            ">= 1",
        ),
        claim("newcomer: bright pixels of the images, least share", found.bright, ">= 0.03"),
        claim("newcomer: bright pixels of the images, largest share", found.bright, "<= 0.4"),
        claim("newcomer: benches that were connected", float(found.bench != "no bench"), "<= 0"),
    ]
    return Outcome(claims, {"seconds": seconds, "pressed": found.pressed})


class Newcomer:
    """One who reads the tour. pressed: what it named. seconds: until there were digits.

    bright: share of bright pixels in them. bench: what the window says of the bench at the end.
    """

    def __init__(self, person: Hands) -> None:
        self.person = person
        self.pressed: list[str] = []
        self.seconds = float("inf")
        self.bright, self.bench = 0.0, ""

    def follow(self) -> None:
        """Open the window and press what the tour's first note names, in its order."""
        self.person.open()
        begun_s = time.monotonic()
        self.person.until(lambda: "tour_text" in self.person.seen(), "the tour")
        before = self._images()
        for name in self._named(self.person.text("tour_text")):
            self.pressed.append(self.person.text(name))
            self.person.click(name)
        self.person.until_text("generate_message", "completed", PATIENCE_S)
        self.person.until(lambda: bool((self._images() != before).any()), "the images")
        self.seconds = time.monotonic() - begun_s
        images = self._images()
        self.bright = float((images > BRIGHT).mean())
        self.bench = self.person.text("bench_status")

    def _images(self) -> npt.NDArray[np.uint8]:
        """Return what is seen of the images, (height, width), grey."""
        return np.asarray(self.person.picture("generate_images").mean(axis=2), np.uint8)

    def _named(self, note: str) -> Iterator[str]:
        """Yield the names of the buttons in view whose texts a note has in bold."""
        for words in re.findall(r"<b>(.*?)</b>", note):
            for name, found in self.person.seen().items():
                if found[5] == words and found[4]:
                    yield name
                    break
