"""Lasers of every dialect behind a line, which write down when they were lit and when dark."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.small_benches import small_bench_text
from mock_hardware.visa.line import TcpLine
from tests.contracts.line_dialects import DIALECTS, Dialect, DialectLaser

Manner = Literal["polite", "mute", "garbage", "hung up", "stuck"]
"""How a laser behaves from some moment on: as it should, without answers, with answers that are no text,
with its line cut once, without obeying the order to switch off."""
TIMEOUT_MS = 500
SIDE_PX = 16
RETRIES = {
    "retries.tries": 2,
    "retries.first_wait_ms": 1.0,
    "retries.reconnects": 2,
    "retries.reconnect_wait_ms": 1.0,
}


class LoggedLaser(DialectLaser):
    """A laser of a dialect. changed_s: when its light last went on or off, monotonic."""

    def __init__(self, dialect: Dialect) -> None:
        self._lit = False
        self._lock = threading.Lock()
        self.changed_s = 0.0
        self.stuck = False
        super().__init__(dialect)

    @property
    def on(self) -> bool:
        """Whether it emits, by its own log."""
        return self._lit

    @on.setter
    def on(self, lit: bool) -> None:
        with self._lock:
            if lit != self._lit and not (self.stuck and not lit):
                self._lit, self.changed_s = lit, time.monotonic()


@dataclass(slots=True)
class DialectBench:
    """A bench on loopback whose laser speaks a dialect. folder: of its file and all that programs leave."""

    laser: LoggedLaser
    line: TcpLine
    folder: Path

    @property
    def file(self) -> Path:
        """The bench file."""
        return self.folder / "bench.toml"

    def behave(self, manner: Manner) -> None:
        """Let the laser behave so from now on."""
        self.laser.stuck = manner == "stuck"
        self.line.trouble = {
            "mute": lambda answer: [],
            "garbage": lambda answer: [b"\xff\xfe" + answer],
        }.get(manner, lambda answer: [answer])
        if manner == "hung up":
            self.line.hang_up()

    def dark_within(self, limit_s: float) -> bool:
        """Wait until the laser is dark; return False if it stays lit."""
        until_s = time.monotonic() + limit_s
        while self.laser.on and time.monotonic() < until_s:
            time.sleep(0.005)
        return not self.laser.on


@contextmanager
def dialect_bench(name: str, folder: Path) -> Iterator[DialectBench]:
    """Serve a laser of a dialect, and write a bench file for it; SLM and camera are simulated."""
    laser = LoggedLaser(DIALECTS[name])
    with TcpLine(laser.speak) as line:
        bench = DialectBench(laser, line, folder)
        bench.file.write_text(_text(DIALECTS[name], line.address), encoding="utf-8")
        yield bench
        bench.behave("polite")


def _text(dialect: Dialect, address: str) -> str:
    options = {"timeout_ms": TIMEOUT_MS, **dialect.options}
    lines = ["[laser]", f"address = {json.dumps(address)}"]
    lines += [f"options.{name} = {json.dumps(value)}" for name, value in options.items()]
    text = small_bench_text(SIDE_PX, 2, {"laser.driver": dialect.driver, **RETRIES})
    return text.replace("[laser]", "\n".join(lines), 1)
